"""Profiles for the property tests: `quick` skips shrinking, `deep` looks longer."""

from hypothesis import Phase, settings

settings.register_profile("quick", phases=(Phase.explicit, Phase.reuse, Phase.generate))
settings.register_profile("deep", max_examples=5000)
settings.register_profile("default", max_examples=300)
