using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Model.Lora;

/// <summary>One linear projection of a network that an adapter can be put on.</summary>
public sealed class LoraSlot
{
    internal LoraSlot(string module, Parameter weight)
    {
        Module = module;
        Weight = weight;
    }

    /// <summary>Published name without <c>.weight</c>.</summary>
    public string Module { get; }

    /// <summary>Inputs K.</summary>
    public int Inputs => Weight.Shape[1];

    /// <summary>Outputs N.</summary>
    public int Outputs => Weight.Shape[0];

    /// <summary>W [N,K].</summary>
    internal Parameter Weight { get; }

    /// <summary>The adapter, or null.</summary>
    internal LoraAdapter? Adapter { get; set; }
}
