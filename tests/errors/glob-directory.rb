allow "/dev/*/cpuid", missing: :skip
