namespace CoGrpo.Runtime.Autograd;

/// <summary>How the elements of a parameter lie in memory. Files always have them as published.</summary>
public enum ParameterLayout : byte
{
    /// <summary>In the order of the published shape.</summary>
    Published,

    /// <summary>A convolution weight published as [O,C,H,W] that lies as [O,H,W,C], so that channels are adjacent as those of the maps are.</summary>
    ChannelsLast,
}
