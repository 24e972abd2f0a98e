namespace CoGrpo.Rl.Configuration;

/// <summary>The backends that a run can ask for.</summary>
public enum DeviceName
{
    /// <summary>The CPU backend, on every machine.</summary>
    Cpu,

    /// <summary>An NVIDIA GPU.</summary>
    Cuda,
}
