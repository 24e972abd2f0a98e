using System.CommandLine;
using System.Globalization;
using CoGrpo.Rl.Logging;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Cli.Commands;

/// <summary>
/// <c>kernels</c>: <c>build</c> compiles all CUDA kernels into one file, with which a machine needs no compiler; <c>list</c> shows what each needs of
/// a device.
/// </summary>
internal sealed class KernelsCommand : Command
{
    private const string DefaultArchitectures = "sm_80,sm_86,sm_89,sm_90";

    private readonly CliContext _context;
    private readonly Option<string> _architectures = new("--arch")
    {
        Description = "Architectures, separated by commas.", HelpName = "sm_80,sm_90", DefaultValueFactory = _ => DefaultArchitectures,
    };

    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "File to write.",
        HelpName = "FILE",
        DefaultValueFactory = _ => KernelBundle.DefaultName,
    };

    /// <summary>The command.</summary>
    public KernelsCommand(CliContext context)
        : base("kernels", "Compile the CUDA kernels ahead of time, or list them.")
    {
        _context = context;
        Command build = new("build", $"Compile every kernel into one file; put it beside the program or name it in {KernelBundle.PathVariable}.")
        {
            _architectures,
            _output,
        };
        build.SetAction((parsed, cancellation) => Task.FromResult(Build(parsed, cancellation)));
        Add(build);
        Command list = new("list", "Show registers and memory of every kernel.") { _architectures };
        list.SetAction((parsed, cancellation) => Task.FromResult(List(parsed, cancellation)));
        Add(list);
    }

    private int Build(ParseResult parsed, CancellationToken cancellation)
    {
        IReadOnlyList<CudaArchitecture> architectures = Architectures(parsed);
        string path = Path.GetFullPath(parsed.GetRequiredValue(_output));

        // Before the minutes of compiling rather than after them.
        if (Directory.Exists(path) || !Directory.Exists(Path.GetDirectoryName(path)))
        {
            throw new CommandException(
                $"--output: expected a file in a folder that exists, found {path}; make the folder or name another file",
                ExitCode.Usage
            );
        }

        Nvrtc compiler = _context.Nvrtc();
        IProgressReporter progress = _context.CreateProgress();
        try
        {
            bool begun = false;
            var gate = new Lock();
            KernelBundle.Build(path, compiler, architectures, (done, total) =>
            {
                lock (gate)
                {
                    if (!begun)
                    {
                        progress.Begin("compile", total);
                        begun = true;
                    }

                    progress.Report(done, "");
                }
            }, cancellation);
        }
        finally
        {
            progress.End();
        }

        _context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{path}: {KernelSources.Stems.Count} programs for {string.Join(", ", architectures)}, {ByteText.Of(new FileInfo(path).Length)}, NVRTC {compiler.Version}"));
        return ExitCode.Success;
    }

    private int List(ParseResult parsed, CancellationToken cancellation)
    {
        IReadOnlyList<CudaArchitecture> architectures = Architectures(parsed);
        Nvrtc compiler = _context.Nvrtc();
        foreach (CudaArchitecture architecture in architectures)
        {
            foreach (string stem in KernelSources.Stems)
            {
                cancellation.ThrowIfCancellationRequested();
                CompiledKernels compiled = KernelCompiler.Compile(compiler, stem, architecture);
                var output = new NvrtcOutput(stem, architecture, compiled.Ptx, compiled.Cubin, compiled.Log);
                foreach (KernelResources kernel in output.Resources().OrderBy(k => k.Kernel, StringComparer.Ordinal))
                {
                    _context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                        $"{architecture} {kernel.Kernel,-40} {kernel.Registers,4} registers {kernel.SharedBytes,6} bytes shared {kernel.SpillStoreBytes + kernel.SpillLoadBytes,4} spilled"));
                }
            }
        }

        return ExitCode.Success;
    }

    private IReadOnlyList<CudaArchitecture> Architectures(ParseResult parsed)
    {
        string text = parsed.GetRequiredValue(_architectures);
        List<CudaArchitecture> architectures = [];
        foreach (string name in text.Split(',', StringSplitOptions.TrimEntries))
        {
            architectures.Add(
                CudaArchitecture.TryParse(name, out CudaArchitecture architecture)
                    ? architecture
                    : throw new CommandException(
                        $"--arch: expected architectures like {DefaultArchitectures}, found {name}; name NVIDIA's compute capabilities",
                        ExitCode.Usage
                    )
            );
        }

        return [.. architectures.Distinct().Order()];
    }
}
