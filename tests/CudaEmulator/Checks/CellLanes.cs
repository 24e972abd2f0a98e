using System.Runtime.InteropServices;

namespace CoGrpo.CudaEmulator.Checks;

/// <summary>Lane fields of consecutive cells where each lane has 1, 2, 4, 8 or 16 of them; made once for the process.</summary>
internal static unsafe class CellLanes
{
    private static readonly uint** Tables = Make();

    /// <summary>The fields where each lane has 2^<paramref name="ratio"/> cells.</summary>
    public static uint* Of(int ratio) => Tables[ratio];

    private static uint** Make()
    {
        uint** tables = (uint**)NativeMemory.Alloc(5, (nuint)sizeof(uint*));
        for (int ratio = 0; ratio < 5; ratio++)
        {
            int count = 32 << ratio;
            tables[ratio] = (uint*)NativeMemory.AlignedAlloc((nuint)count * sizeof(uint), 64);
            for (int i = 0; i < count; i++)
            {
                tables[ratio][i] = (uint)(i >> ratio) << CellFormat.LaneShift;
            }
        }

        return tables;
    }
}
