#!/bin/sh
# Makes the clips of this folder anew; NOTICE tells where each comes from.
# Needs a Debian system with: apt-get install espeak-ng sox
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Recordings: three sentences of a LibriVox reading, which Debian ships as test data.
(cd "$work" && apt-get download --quiet pocketsphinx-testdata && dpkg -x ./*.deb .)
sentence() {
    cp "$work/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-$1.wav" "$2"
}
sentence 0890 reading_unless.wav
sentence 0930 reading_amiable.wav
sentence 0880 reading_young_man.wav

# Synthetic speech: one sentence, and one telephone call with pauses and closing silence.
espeak-ng -v en-us+f3 -s 165 -w synthetic_delivery.wav \
    "Your parcel is at the door. Please read me the code that we sent you."
espeak-ng -v en-gb -s 150 -m -w "$work/pauses.wav" \
    "<speak>Good morning, this is the bank. <break time='2500ms'/>
     Are you still there? <break time='3s'/> Thank you, please hold the line.</speak>"
sox -D "$work/pauses.wav" -r 8000 -b 16 synthetic_pauses.wav pad 0.5 2.5
