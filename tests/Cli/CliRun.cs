using System.CommandLine;
using CoGrpo.Cli;
using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Tests.Cuda;

namespace CoGrpo.Tests.Cli;

/// <summary>Runs one command line in this process and keeps what it said.</summary>
internal sealed class CliRun
{
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();

    private CliRun(bool debug = false, Func<Nvrtc>? nvrtc = null, Func<CudaDriver>? driver = null) => Context = new CliContext
    {
        Out = _out,
        Error = _error,
        Debug = debug,
        CudaDriver = driver ?? NoDriver,
        Nvrtc = nvrtc ?? Nvrtc.Load,
        KernelCompiler = () => TestCompilers.Kernels,
    };

    /// <summary>The answer of a machine without driver, whatever machine the tests run on.</summary>
    public static CudaDriver NoDriver() =>
        CudaDriver.Load(NativeLibrarySearch.For("NVIDIA driver", ["libcuda-that-is-not.so.1"], [], "/nowhere/libcuda-that-is-not.so.1"));

    public CliContext Context { get; }

    public int Code { get; private set; }

    public string Out => _out.ToString();

    public string Error => _error.ToString();

    public static CliRun Of(params string[] args) => With(_ => [], args);

    /// <summary>On a machine with emulated GPUs.</summary>
    public static CliRun OnEmulatedGpu(params string[] args)
    {
        CliRun run = new(driver: () => EmulatedMachine.Driver);
        run.Code = CliApplication.Run(CommandSet.Create(run.Context), args, run.Context, default);
        return run;
    }

    public static CliRun With(
        Func<CliContext, IEnumerable<Command>> extra,
        string[] args,
        CancellationToken cancellation = default,
        bool debug = false,
        Func<Nvrtc>? nvrtc = null
    )
    {
        CliRun run = new(debug, nvrtc);
        RootCommand root = CommandSet.Create(run.Context);
        foreach (Command command in extra(run.Context))
        {
            if (root.Subcommands.FirstOrDefault(known => known.Name == command.Name) is { } known)
            {
                root.Subcommands.Remove(known);
            }

            root.Add(command);
        }

        run.Code = CliApplication.Run(root, args, run.Context, cancellation);
        return run;
    }
}
