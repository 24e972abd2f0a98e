using System.Runtime.InteropServices;

namespace CoGrpo.CudaEmulator.Memory;

/// <summary>
/// Memory for what the checks remember about a region. Large blocks come zeroed from the system and take room only where they are touched.
/// </summary>
internal static unsafe class RegionShadow
{
    public static void Allocate(Region* region, EmulatorCheck checks)
    {
        if (checks.HasFlag(EmulatorCheck.Uninitialised))
        {
            region->Written = (ulong*)NativeMemory.AllocZeroed((nuint)((region->Bytes / 64) + 2), sizeof(ulong));
        }

        if (checks.HasFlag(EmulatorCheck.Races) && region->Kind != RegionKind.Constant)
        {
            // Vector code reads up to a page, so every page is whole.
            nuint cells = (nuint)region->PageCount << (Region.PageShift - 2);
            region->Writers = (uint*)NativeMemory.AllocZeroed(cells, sizeof(uint));
            region->Readers = (uint*)NativeMemory.AllocZeroed(cells, sizeof(uint));
            region->Pages = (uint*)NativeMemory.AllocZeroed((nuint)region->PageCount, sizeof(uint));
            region->Fine = (uint**)NativeMemory.AllocZeroed((nuint)region->PageCount, (nuint)sizeof(uint*));
        }
    }

    public static void Free(Region* region)
    {
        NativeMemory.Free(region->Written);
        NativeMemory.Free(region->Writers);
        NativeMemory.Free(region->Readers);
        NativeMemory.Free(region->Pages);
        if (region->Fine != null)
        {
            for (ulong page = 0; page < region->PageCount; page++)
            {
                NativeMemory.Free(region->Fine[page]);
            }
        }

        NativeMemory.Free(region->Fine);
        region->Written = null;
        region->Writers = null;
        region->Readers = null;
        region->Pages = null;
        region->Fine = null;
    }
}
