"""What objects of operators may look like, as strict as their own definitions where we use them.

Kubernetes' schemas know nothing of these. Written by the documentation of Strimzi (API v1), KEDA
2.x and the Prometheus operator; only fields that the chart writes are named, any other is an error.
"""

from typing import Any

import jsonschema

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_ANY: Schema = {"type": "object"}


def _only(*required: str, **properties: Schema) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


def _list(item: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": item}


def _one_of(*values: str) -> Schema:
    return {"enum": list(values)}


_ACL = _only(
    "resource",
    "operations",
    resource=_only(
        "type",
        "name",
        "patternType",
        type=_one_of("topic", "group", "cluster", "transactionalId"),
        name=_TEXT,
        patternType=_one_of("literal", "prefix"),
    ),
    operations=_list(_one_of("Read", "Write", "Create", "Describe", "DescribeConfigs")),
)
_TRIGGER = _only(
    "type",
    "metadata",
    type=_TEXT,
    name=_TEXT,
    # KEDA takes texts only: a number here is refused by the API server.
    metadata={"type": "object", "additionalProperties": _TEXT},
    authenticationRef=_only("name", name=_TEXT),
)
_TARGET = _list(_only("parameter", "name", "key", parameter=_TEXT, name=_TEXT, key=_TEXT))
_SPECS = {
    ("kafka.strimzi.io/v1", "KafkaTopic"): _only(
        "topicName",
        topicName=_TEXT,
        partitions={"type": "integer", "minimum": 1},
        replicas={"type": "integer", "minimum": 1, "maximum": 32_767},
        config={"type": "object", "additionalProperties": _TEXT},
    ),
    ("kafka.strimzi.io/v1", "KafkaUser"): _only(
        "authentication",
        "authorization",
        authentication=_only("type", type=_one_of("tls", "tls-external", "scram-sha-512")),
        authorization=_only("type", "acls", type=_one_of("simple"), acls=_list(_ACL)),
        quotas={"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
    ),
    ("keda.sh/v1alpha1", "ScaledObject"): _only(
        "scaleTargetRef",
        "triggers",
        scaleTargetRef=_only(
            "name", apiVersion=_TEXT, kind=_TEXT, name=_TEXT, envSourceContainerName=_TEXT
        ),
        minReplicaCount=_WHOLE,
        maxReplicaCount=_WHOLE,
        pollingInterval=_WHOLE,
        fallback=_only("failureThreshold", "replicas", failureThreshold=_WHOLE, replicas=_WHOLE),
        advanced=_only(horizontalPodAutoscalerConfig=_only(behavior=_ANY)),
        triggers=_list(_TRIGGER),
    ),
    ("keda.sh/v1alpha1", "TriggerAuthentication"): _only(
        secretTargetRef=_TARGET,
        configMapTargetRef=_TARGET,
        env=_list(_only("parameter", "name", parameter=_TEXT, name=_TEXT, containerName=_TEXT)),
    ),
    ("monitoring.coreos.com/v1", "PrometheusRule"): _only(
        "groups",
        groups=_list(
            _only(
                "name",
                "rules",
                name=_TEXT,
                rules=_list({"type": "object", "required": ["alert", "expr", "labels"]}),
            )
        ),
    ),
    ("monitoring.coreos.com/v1", "PodMonitor"): _only(
        "selector",
        "podMetricsEndpoints",
        selector=_only("matchLabels", matchLabels=_ANY),
        podMetricsEndpoints=_list(
            _only(
                port=_TEXT,
                path=_TEXT,
                interval=_TEXT,
                scrapeTimeout=_TEXT,
                relabelings=_list(_ANY),
                metricRelabelings=_list(_ANY),
            )
        ),
    ),
}


def check_custom_resource(manifest: dict[str, Any]) -> bool:
    """Whether it is one of these; raises jsonschema.ValidationError where it is wrong."""
    spec = _SPECS.get((manifest["apiVersion"], manifest["kind"]))
    if spec is not None:
        jsonschema.validate(manifest["spec"], spec, jsonschema.Draft7Validator)
    return spec is not None
