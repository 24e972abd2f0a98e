using System.Runtime.InteropServices;
using System.Text;

namespace CoGrpo.Runtime.Cuda;

/// <summary>
/// NVRTC, NVIDIA's run-time compiler: CUDA C++ in, PTX and binaries out. Needs no GPU and no driver. Thread-safe.
/// </summary>
public sealed unsafe class Nvrtc
{
    private readonly delegate* unmanaged<int*, int*, int> _version;
    private readonly delegate* unmanaged<int*, int> _architectureCount;
    private readonly delegate* unmanaged<int*, int> _architectures;
    private readonly delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int> _create;
    private readonly delegate* unmanaged<nint*, int> _destroy;
    private readonly delegate* unmanaged<nint, int, byte**, int> _compile;
    private readonly delegate* unmanaged<nint, nuint*, int> _logSize;
    private readonly delegate* unmanaged<nint, byte*, int> _log;
    private readonly delegate* unmanaged<nint, nuint*, int> _ptxSize;
    private readonly delegate* unmanaged<nint, byte*, int> _ptx;
    private readonly delegate* unmanaged<nint, nuint*, int> _cubinSize;
    private readonly delegate* unmanaged<nint, byte*, int> _cubin;
    private readonly delegate* unmanaged<int, byte*> _errorText;

    private Nvrtc(NativeLibrarySearch search)
    {
        Source = search.Found!;
        PreloadBuiltins(Source);
        _version = (delegate* unmanaged<int*, int*, int>)Export(search, "nvrtcVersion");
        _architectureCount = (delegate* unmanaged<int*, int>)Export(search, "nvrtcGetNumSupportedArchs");
        _architectures = (delegate* unmanaged<int*, int>)Export(search, "nvrtcGetSupportedArchs");
        _create = (delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int>)Export(search, "nvrtcCreateProgram");
        _destroy = (delegate* unmanaged<nint*, int>)Export(search, "nvrtcDestroyProgram");
        _compile = (delegate* unmanaged<nint, int, byte**, int>)Export(search, "nvrtcCompileProgram");
        _logSize = (delegate* unmanaged<nint, nuint*, int>)Export(search, "nvrtcGetProgramLogSize");
        _log = (delegate* unmanaged<nint, byte*, int>)Export(search, "nvrtcGetProgramLog");
        _ptxSize = (delegate* unmanaged<nint, nuint*, int>)Export(search, "nvrtcGetPTXSize");
        _ptx = (delegate* unmanaged<nint, byte*, int>)Export(search, "nvrtcGetPTX");
        _cubinSize = (delegate* unmanaged<nint, nuint*, int>)Export(search, "nvrtcGetCUBINSize");
        _cubin = (delegate* unmanaged<nint, byte*, int>)Export(search, "nvrtcGetCUBIN");
        _errorText = (delegate* unmanaged<int, byte*>)Export(search, "nvrtcGetErrorString");
        (int major, int minor) = (0, 0);
        Check(_version(&major, &minor), "asking for the version");
        Version = new Version(major, minor);
        int count = 0;
        Check(_architectureCount(&count), "asking for architectures");
        int[] numbers = new int[count];
        fixed (int* pointer = numbers)
        {
            Check(_architectures(pointer), "asking for architectures");
        }

        Architectures = [.. numbers.Select(n => new CudaArchitecture(n / 10, n % 10)).Order()];
    }

    /// <summary>The library that was loaded.</summary>
    public string Source { get; }

    /// <summary>CUDA version of the compiler.</summary>
    public Version Version { get; }

    /// <summary>Architectures it compiles for, ascending.</summary>
    public IReadOnlyList<CudaArchitecture> Architectures { get; }

    /// <summary>The compiler of this machine.</summary>
    /// <exception cref="CudaException">None is installed, or it is damaged; the message says what was tried and what to do.</exception>
    public static Nvrtc Load() => Load(CudaLibraries.Nvrtc());

    /// <summary>The compiler that <paramref name="search"/> found.</summary>
    /// <exception cref="CudaException">As <see cref="Load()"/>.</exception>
    public static Nvrtc Load(NativeLibrarySearch search)
    {
        ArgumentNullException.ThrowIfNull(search);
        return search.Found is null
            ? throw new CudaException(
                $"NVRTC: wanted NVIDIA's run-time compiler on this machine, tried {string.Join(", ", search.Tried)} and found none; "
                    + $"install it (Debian: libnvrtc12 of the non-free component), set {CudaLibraries.NvrtcVariable} to its folder, or build the kernels elsewhere with «cogrpo-native kernels build»"
            )
            : new Nvrtc(search);
    }

    /// <summary>Compiles one program.</summary>
    /// <param name="name">File name for messages and line information.</param>
    /// <param name="source">CUDA C++.</param>
    /// <param name="headers">Text of the files it may include, by the name in the include directive.</param>
    /// <param name="architecture">A real architecture, so that inline PTX is checked by the assembler.</param>
    /// <param name="options">Further compiler options.</param>
    /// <exception cref="CudaException">The compiler does not know the architecture, or the source has errors; the message has the first
    /// ones.</exception>
    public NvrtcOutput Compile(
        string name,
        string source,
        IReadOnlyDictionary<string, string> headers,
        CudaArchitecture architecture,
        params ReadOnlySpan<string> options
    )
    {
        ArgumentNullException.ThrowIfNull(headers);
        if (!Architectures.Contains(architecture))
        {
            throw new CudaException(
                $"NVRTC {Version}: wanted an architecture of {string.Join(", ", Architectures)}, got {architecture}; install a later NVRTC"
            );
        }

        // Without a dialect NVRTC 11.8 falls back to one that predates C++11.
        string[] all = [$"--gpu-architecture={architecture}", "-std=c++17", "-lineinfo", "--ptxas-options=-v", .. options];
        using Utf8Strings arguments = new(all);
        using Utf8Strings headerNames = new(headers.Keys);
        using Utf8Strings headerTexts = new(headers.Values);
        using Utf8Strings texts = new([source, name]);
        nint program = 0;
        Check(_create(&program, texts.Pointer[0], texts.Pointer[1], headers.Count, headerTexts.Pointer, headerNames.Pointer), $"reading {name}");
        try
        {
            int result = _compile(program, all.Length, arguments.Pointer);
            string log = Text(_logSize, _log, program);
            return result == 0
                ? new NvrtcOutput(name, architecture, Bytes(_ptxSize, _ptx, program), Bytes(_cubinSize, _cubin, program), log)
                : throw new CudaException($"NVRTC {Version}: compiling {name} for {architecture} failed ({ErrorText(result)}): {FirstErrors(log)}; mend the source, or report it with this line");
        }
        finally
        {
            _destroy(&program);
        }
    }

    private static string FirstErrors(string log)
    {
        IEnumerable<string> errors = log.Split('\n').Where(line => line.Contains("error", StringComparison.OrdinalIgnoreCase)).Take(3);
        string joined = string.Join(" | ", errors.Select(line => line.Trim()));
        return joined.Length > 0 ? joined : log.ReplaceLineEndings(" ").Trim();
    }

    private static string Text(delegate* unmanaged<nint, nuint*, int> size, delegate* unmanaged<nint, byte*, int> get, nint program) =>
        Encoding.UTF8.GetString(Bytes(size, get, program)).TrimEnd('\0');

    private static byte[] Bytes(delegate* unmanaged<nint, nuint*, int> size, delegate* unmanaged<nint, byte*, int> get, nint program)
    {
        nuint length = 0;
        if (size(program, &length) != 0 || length == 0)
        {
            return [];
        }

        byte[] bytes = new byte[length];
        fixed (byte* pointer = bytes)
        {
            return get(program, pointer) == 0 ? bytes : [];
        }
    }

    private static nint Export(NativeLibrarySearch search, string name) => NativeLibrary.TryGetExport(search.Handle, name, out nint address)
        ? address
        : throw new CudaException($"NVRTC {search.Found}: wanted the function {name}, the library lacks it; install NVRTC of CUDA 11.2 or later");

    /// <summary>
    /// NVRTC opens its companion by bare name, which the system finds only on its search path: a copy beside the library itself is loaded first.
    /// </summary>
    private static void PreloadBuiltins(string library)
    {
        string? folder = Path.GetDirectoryName(library);
        if (string.IsNullOrEmpty(folder))
        {
            return;
        }

        foreach (
            string companion in Directory.EnumerateFiles(folder, OperatingSystem.IsWindows() ? "nvrtc-builtins64_*.dll" : "libnvrtc-builtins.so.*")
        )
        {
            NativeLibrary.TryLoad(companion, out _);
        }
    }

    private string ErrorText(int result) => Marshal.PtrToStringUTF8((nint)_errorText(result)) ?? $"error {result}";

    private void Check(int result, string doing)
    {
        if (result != 0)
        {
            throw new CudaException($"NVRTC {Source}: {doing} failed ({ErrorText(result)}); reinstall NVRTC");
        }
    }

    /// <summary>Zero-terminated UTF-8 texts and an array of their addresses, in unmanaged memory.</summary>
    private sealed class Utf8Strings : IDisposable
    {
        private readonly nint[] _texts;

        public Utf8Strings(IEnumerable<string> texts)
        {
            _texts = [.. texts.Select(Marshal.StringToCoTaskMemUTF8)];
            Pointer = (byte**)NativeMemory.Alloc((nuint)Math.Max(1, _texts.Length), (nuint)sizeof(byte*));
            for (int i = 0; i < _texts.Length; i++)
            {
                Pointer[i] = (byte*)_texts[i];
            }
        }

        public byte** Pointer { get; }

        public void Dispose()
        {
            NativeMemory.Free(Pointer);
            foreach (nint text in _texts)
            {
                Marshal.FreeCoTaskMem(text);
            }
        }
    }
}
