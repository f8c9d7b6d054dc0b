# Nodes that are there may be used; new ones may not be made. To stand beside
# another policy, on the cgroup or above it: both must allow.
policy "no-new-nodes"
default :allow

deny "a *:* m", label: "no new nodes"
