using System.Runtime.InteropServices;
using CoGrpo.Runtime;

namespace CoGrpo.Bench.Reference;

/// <summary>An installed OpenBLAS, only to compare with.</summary>
internal sealed unsafe class OpenBlasLibrary
{
    private const int RowMajor = 101;
    private const int NoTranspose = 111;
    private const int Transpose = 112;

    private readonly delegate* unmanaged[Cdecl]<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void> _product;
    private readonly delegate* unmanaged[Cdecl]<int, void> _setThreads;

    private OpenBlasLibrary(nint library, string file)
    {
        _product = (delegate* unmanaged[Cdecl]<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void>)
            NativeLibrary.GetExport(library, "cblas_sgemm");
        _setThreads = (delegate* unmanaged[Cdecl]<int, void>)NativeLibrary.GetExport(library, "openblas_set_num_threads");
        Description = $"{file}, {Text(library, "openblas_get_config")}, kernels {Text(library, "openblas_get_corename")}";
    }

    /// <summary>The library of this machine, or null.</summary>
    public static OpenBlasLibrary? Shared { get; } = Find();

    /// <summary>File, build and the kernels chosen for this processor.</summary>
    public string Description { get; }

    public void SetThreads(int count) => _setThreads(count);

    /// <summary>y [M,N] = x [M,K] weight^T with weight [N,K], all contiguous.</summary>
    public void Product(Tensor x, Tensor weight, Tensor y) =>
        _product(
            RowMajor,
            NoTranspose,
            Transpose,
            x.Rows,
            weight.Rows,
            x.Columns,
            1,
            (float*)x.Address,
            x.Columns,
            (float*)weight.Address,
            x.Columns,
            0,
            (float*)y.Address,
            weight.Rows
        );

    private static OpenBlasLibrary? Find()
    {
        foreach (string file in new[] { "libopenblas.so.0", "libopenblas.dylib", "libopenblas.dll" })
        {
            if (NativeLibrary.TryLoad(file, out nint library) && NativeLibrary.TryGetExport(library, "cblas_sgemm", out _)
                && NativeLibrary.TryGetExport(library, "openblas_set_num_threads", out _))
            {
                return new OpenBlasLibrary(library, file);
            }
        }

        return null;
    }

    private static string Text(nint library, string name) => NativeLibrary.TryGetExport(library, name, out nint export)
        ? Marshal.PtrToStringUTF8((nint)((delegate* unmanaged[Cdecl]<byte*>)export)())?.Trim() ?? "unknown"
        : "unknown";
}
