using System.Runtime.InteropServices;
using System.Text;
using CoGrpo.CudaEmulator.Ptx;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Tool;

/// <summary>What the command <c>run</c> is to do.</summary>
internal sealed record KernelRun
{
    public required string File { get; init; }

    public required string Kernel { get; init; }

    public required Dim3 Grid { get; init; }

    public required Dim3 Block { get; init; }

    public required int SharedBytes { get; init; }

    public required CudaArchitecture Architecture { get; init; }

    public required string[] Arguments { get; init; }

    public required string[] Options { get; init; }

    public required int Repetitions { get; init; }

    public required EmulatorOptions Emulator { get; init; }

    /// <summary>Compiles, launches and prints.</summary>
    /// <exception cref="ToolException">The command line does not fit the program.</exception>
    /// <exception cref="CudaException">It does not compile, or the kernel does something wrong.</exception>
    public unsafe void Execute(TextWriter output)
    {
        byte[] ptx = Compile();
        string name = FindKernel(ptx);
        ToolArgument[] arguments = [.. Arguments.Select((text, i) => ToolArgument.Parse(text, 1234 + i))];
        using IDisposable configured = EmulatedMachine.Configure(Emulator);
        using CudaContext context = new(new CudaDevice(EmulatedMachine.Driver, EmulatedMachine.OrdinalOf(Architecture)));
        using LaunchRecording recording = EmulatedMachine.CurrentContext.Record();
        using CudaStream stream = new(context);
        using CudaModule module = new(context, File, ptx);
        CudaDeviceMemory?[] memory = [.. arguments.Select(a => a.Upload(context, stream))];
        try
        {
            nint function = module.Function(name);
            if (SharedBytes > 48 << 10)
            {
                context.Driver.Check(
                    context.Driver.Functions.cuFuncSetAttribute(function, CudaFunctionAttribute.MaxDynamicSharedSizeBytes, SharedBytes),
                    $"asking for {SharedBytes} bytes of shared memory"
                );
            }

            ulong* values = stackalloc ulong[arguments.Length + 1];
            void** pointers = stackalloc void*[arguments.Length + 1];
            for (int i = 0; i < arguments.Length; i++)
            {
                values[i] = memory[i]?.Address ?? 0;
                if (memory[i] is null)
                {
                    arguments[i].WriteTo(new Span<byte>(values + i, 8));
                }

                pointers[i] = values + i;
            }

            for (int r = 0; r < Repetitions; r++)
            {
                context.Driver.Check(
                    context.Driver.Functions.cuLaunchKernel(
                        function,
                        Grid.X,
                        Grid.Y,
                        Grid.Z,
                        Block.X,
                        Block.Y,
                        Block.Z,
                        (uint)SharedBytes,
                        stream.Handle,
                        pointers,
                        null
                    ),
                    $"launching {name}"
                );
                stream.Synchronize();
            }

            for (int i = 0; i < arguments.Length; i++)
            {
                if (arguments[i].IsPrinted && memory[i] is { } block)
                {
                    byte[] bytes = new byte[block.Bytes];
                    fixed (byte* to = bytes)
                    {
                        stream.CopyToHost(block.Address, (nint)to, block.Bytes);
                    }

                    stream.Synchronize();
                    output.WriteLine(arguments[i].Show(bytes));
                }
            }

            LaunchReport report = recording.Launches[^1];
            output.Write(report);
            foreach ((string line, LaunchCounters counters) in report.Lines.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                output.WriteLine($"{line,-22} {counters.GlobalSectorsRead} sectors read, {counters.GlobalSectorsWritten} written, {counters.SharedWavefronts} shared passes, {counters.BankConflicts} conflicts");
            }
        }
        catch (CudaException) when (EmulatedMachine.CurrentContext.Violation is { } violation)
        {
            throw new FailedException(violation);
        }
        finally
        {
            foreach (CudaDeviceMemory? block in memory)
            {
                block?.Dispose();
            }
        }
    }

    /// <summary>The kernel did something wrong.</summary>
    public sealed class FailedException(Violation violation) : Exception(violation.ToString())
    {
        public Violation Violation { get; } = violation;
    }

    private byte[] Compile()
    {
        string source;
        try
        {
            source = System.IO.File.ReadAllText(File);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{File}: {error.Message.TrimEnd('.')}");
        }

        if (Path.GetExtension(File) == ".ptx")
        {
            return Encoding.UTF8.GetBytes(source);
        }

        // What lies beside the program goes before what is known here.
        Dictionary<string, string> headers = new(StandardHeaders.All, StringComparer.Ordinal);
        foreach (
            string header in Directory
                .EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(File))!)
                .Where(f => Path.GetExtension(f) is ".cuh" or ".h" or ".hpp")
        )
        {
            headers[Path.GetFileName(header)] = System.IO.File.ReadAllText(header);
        }

        Nvrtc compiler = Environment.GetEnvironmentVariable(CudaLibraries.NvrtcVariable) is { Length: > 0 }
            ? Nvrtc.Load()
            : NvrtcFolders.Find("12.4") ?? Nvrtc.Load();
        return compiler.Compile(Path.GetFileName(File), source, headers, Architecture, Options).Ptx;
    }

    /// <summary>The kernel of that name; for C++ kernels a part of the mangled name is enough.</summary>
    private string FindKernel(byte[] ptx)
    {
        string[] kernels =
        [
            .. PtxParser.Parse(Encoding.UTF8.GetString(ptx).TrimEnd('\0')).Functions.Values.Where(f => f.IsKernel).Select(f => f.Name),
        ];
        string[] found = kernels.Contains(Kernel) ? [Kernel] : [.. kernels.Where(k => k.Contains(Kernel, StringComparison.Ordinal))];
        return found.Length == 1 ? found[0]
            : throw new ToolException($"--kernel {Kernel}: wanted one of {string.Join(", ", kernels.DefaultIfEmpty("none"))}, {(found.Length == 0 ? "found none" : "several fit")}");
    }
}
