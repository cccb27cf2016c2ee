"""What scanners ask for and the chart does otherwise, by the names of the checks, with reasons."""

_NO_CPU_LIMIT = "no limit on CPU: a throttled pod misses its heartbeats and loses its partitions"

CHECKOV_SKIPS = {
    "CKV_K8S_8": "the pod of `helm test` has no liveness probe: it runs once. The service has one",
    "CKV_K8S_9": "nor a readiness probe: nobody sends it anything. The service has one",
    "CKV_K8S_11": _NO_CPU_LIMIT,
    "CKV_K8S_15": "images are pulled when they are missing: `Always` makes a start depend on the "
    "registry; give a digest instead",
    "CKV_K8S_35": "a SASL user's name and a private key's password can't be files: the service has "
    "no setting for it. They are variables by reference; all other secrets are files",
    "CKV_K8S_43": "the digest is yours to give (`image.digest`): there is no public image",
    "CKV2_K8S_6": "the network policy is off by default: only you know where your brokers listen",
}
TRIVY_SKIPS = {
    "KSV-0011": _NO_CPU_LIMIT,
    "KSV-0125": "no registry is trusted by name: the image is yours",
    "DS-0026": "the image has no HEALTHCHECK: orchestrators have probes of their own",
}
