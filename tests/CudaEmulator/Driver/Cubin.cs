using System.Runtime.InteropServices;
using System.Text;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>
/// Reads from an assembled binary (an ELF file) how many registers its kernels use: the only thing the emulator wants of it. The field is the
/// upper byte of a code section's sh_info.
/// </summary>
internal static unsafe class Cubin
{
    private const uint Magic = 0x464C457F;
    private const int CudaMachine = 190;

    /// <summary>Whether an image begins as an ELF file.</summary>
    public static bool IsCubin(byte* image) => *(uint*)image == Magic;

    /// <summary>Kernels with their registers.</summary>
    /// <exception cref="DriverException">The file is damaged, or not for this kind of machine.</exception>
    public static List<(string Kernel, int Registers)> Kernels(byte* image)
    {
        if (image[4] != 2 || image[5] != 1 || *(ushort*)(image + 18) != CudaMachine || *(ushort*)(image + 58) != 64)
        {
            throw new DriverException(CudaResult.InvalidImage, "the image begins as an ELF file but is no CUDA binary");
        }

        ulong table = *(ulong*)(image + 40);
        int count = *(ushort*)(image + 60);
        int names = *(ushort*)(image + 62);
        if (table == 0 || table > 1UL << 30 || names >= count)
        {
            throw new DriverException(CudaResult.InvalidImage, "the section table of the CUDA binary is damaged");
        }

        byte* sections = image + table;
        byte* strings = image + *(ulong*)(sections + (names * 64) + 24);
        List<(string, int)> kernels = [];
        for (int i = 0; i < count; i++)
        {
            byte* section = sections + (i * 64);
            string name = Marshal.PtrToStringUTF8((nint)(strings + *(uint*)section)) ?? "";
            if (name.StartsWith(".text.", StringComparison.Ordinal))
            {
                kernels.Add((name[6..], (int)(*(uint*)(section + 44) >> 24)));
            }
        }

        return kernels;
    }
}
