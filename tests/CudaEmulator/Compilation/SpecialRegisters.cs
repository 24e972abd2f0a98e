namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>The special registers of PTX that the emulator knows.</summary>
internal static class SpecialRegisters
{
    // Those that never change while a thread runs: kept in a register of their own, filled when the block starts.
    private static readonly string[] Fixed =
    [
        "%tid.x",
        "%tid.y",
        "%tid.z",
        "%ntid.x",
        "%ntid.y",
        "%ntid.z",
        "%ctaid.x",
        "%ctaid.y",
        "%ctaid.z",
        "%nctaid.x",
        "%nctaid.y",
        "%nctaid.z",
        "%laneid",
        "%warpid",
        "%nwarpid",
        "%smid",
        "%nsmid",
        "%lanemask_eq",
        "%lanemask_lt",
        "%lanemask_le",
        "%lanemask_gt",
        "%lanemask_ge",
        "%dynamic_smem_size",
        "%total_smem_size",
        "%gridid",
        "%clusterid.x",
        "%clusterid.y",
        "%clusterid.z",
        "%nclusterid.x",
        "%nclusterid.y",
        "%nclusterid.z",
        "%cluster_ctaid.x",
        "%cluster_ctaid.y",
        "%cluster_ctaid.z",
        "%cluster_nctaid.x",
        "%cluster_nctaid.y",
        "%cluster_nctaid.z",
        "%cluster_ctarank",
        "%cluster_nctarank",
    ];

    private static readonly Dictionary<string, int> Numbers = Fixed
        .Select((name, i) => (name, i))
        .ToDictionary(pair => pair.name, pair => pair.i, StringComparer.Ordinal);

    public static bool IsFixed(string name) => Numbers.ContainsKey(name);

    /// <summary>Name of the fixed register of a number.</summary>
    public static string Name(int number) => Fixed[number];

    public static int Number(string name) => Numbers[name];

    public static int Bytes(string name) => name == "%gridid" ? 8 : 4;

    /// <summary>The value of a fixed register in one thread.</summary>
    public static ulong Value(int number, in ThreadPlace at) => number switch
    {
        0 => at.Thread.X,
        1 => at.Thread.Y,
        2 => at.Thread.Z,
        3 => at.BlockSize.X,
        4 => at.BlockSize.Y,
        5 => at.BlockSize.Z,
        6 => at.Block.X,
        7 => at.Block.Y,
        8 => at.Block.Z,
        9 => at.GridSize.X,
        10 => at.GridSize.Y,
        11 => at.GridSize.Z,
        12 => at.Lane,
        13 => at.Warp,
        14 => at.Warps,
        15 => at.Multiprocessor,
        16 => at.Multiprocessors,
        17 => 1u << (int)at.Lane,
        18 => (1u << (int)at.Lane) - 1,
        19 => (uint)((2UL << (int)at.Lane) - 1),
        20 => ~(uint)((2UL << (int)at.Lane) - 1),
        21 => ~((1u << (int)at.Lane) - 1),
        22 => at.DynamicShared,
        23 => at.TotalShared,
        24 => at.Grid,

        // Without clusters every block is a cluster of its own.
        25 => at.Block.X,
        26 => at.Block.Y,
        27 => at.Block.Z,
        28 => at.GridSize.X,
        29 => at.GridSize.Y,
        30 => at.GridSize.Z,
        34 or 35 or 36 or 38 => 1,
        _ => 0,
    };

    /// <summary>Whether the value is another in every lane, or in every warp.</summary>
    public static bool DependsOnThread(int number) => number is 0 or 1 or 2 or 12 or 13 or 17 or 18 or 19 or 20 or 21;

    /// <summary>Whether the value depends on the block, not only on the launch and the place in the block.</summary>
    public static bool DependsOnBlock(int number) => number is 6 or 7 or 8 or 15 or 25 or 26 or 27;
}
