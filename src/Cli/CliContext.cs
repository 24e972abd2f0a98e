using CoGrpo.Cli.Progress;
using CoGrpo.Rl.Logging;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Cli;

/// <summary>The outside world of a command.</summary>
internal sealed class CliContext
{
    /// <summary>Where results go.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Where errors, warnings and progress go.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>What the program is called in messages.</summary>
    public string Program { get; init; } = "cogrpo-native";

    /// <summary>Error is a terminal, so that a bar can be drawn.</summary>
    public bool Interactive { get; init; }

    /// <summary>Show stack traces.</summary>
    public bool Debug { get; init; }

    /// <summary>Opens the CUDA driver; throws where there is none.</summary>
    public Func<CudaDriver> CudaDriver { get; init; } = Runtime.Cuda.CudaDriver.Load;

    /// <summary>Opens the run-time compiler; throws where there is none.</summary>
    public Func<Nvrtc> Nvrtc { get; init; } = Runtime.Cuda.Nvrtc.Load;

    /// <summary>Where CUDA kernels come from.</summary>
    public Func<KernelCompiler> KernelCompiler { get; init; } = Runtime.Cuda.Kernels.KernelCompiler.Default;

    /// <summary>The process's own streams, in a program of this name.</summary>
    public static CliContext OfProcess(string program = "cogrpo-native") => new()
    {
        Program = program,
        Out = Console.Out,
        Error = Console.Error,
        Interactive = !Console.IsErrorRedirected,
        Debug = Environment.GetEnvironmentVariable("COGRPO_DEBUG") == "1",
    };

    /// <summary>A bar on a terminal, plain lines otherwise.</summary>
    public IProgressReporter CreateProgress() => Interactive ? new LiveProgress(Error) : new PlainProgress(Error, TimeProvider.System);
}
