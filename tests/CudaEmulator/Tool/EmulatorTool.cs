using System.CommandLine;
using System.Globalization;
using CoGrpo.CudaEmulator.Ptx;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Tool;

/// <summary>
/// The command line of the emulator: <c>run FILE.cu --kernel NAME --grid X[,Y,Z] --block X[,Y,Z] [--arg …]</c>. Exit code 0 when the kernel ran, 1
/// when it did not compile or did something wrong, 2 for a command line that cannot be read.
/// </summary>
internal static class EmulatorTool
{
    public static int Run(string[] args, TextWriter output, TextWriter errors)
    {
        Argument<string> file = new("file") { Description = "CUDA C++ (.cu), or PTX (.ptx)." };
        Option<string> kernel = new("--kernel") { Description = "Name of the kernel; for C++ kernels a part of the mangled name.", Required = true };
        Option<string> grid = new("--grid") { Description = "Blocks: X, X,Y or X,Y,Z.", Required = true };
        Option<string> block = new("--block") { Description = "Threads of a block: X, X,Y or X,Y,Z.", Required = true };
        Option<int> shared = new("--shared") { Description = "Bytes of dynamic shared memory." };
        Option<string> architecture = new("--arch")
        {
            Description = "sm_70, sm_75, sm_80, sm_86, sm_89 or sm_90.",
            DefaultValueFactory = _ => "sm_80",
        };
        Option<string[]> arguments = new("--arg")
        {
            Description =
                "An argument: TYPE=VALUE, or TYPE:COUNT[:random|index|zero|none|VALUE][:out] for memory. As often as the kernel has parameters.",
        };
        Option<string[]> options = new("--option") { Description = "An option for the compiler, such as -use_fast_math." };
        Option<int> repetitions = new("--repeat") { Description = "Number of launches.", DefaultValueFactory = _ => 1 };
        Option<int> workers = new("--workers")
        {
            Description = "Threads of this machine to use.",
            DefaultValueFactory = _ => Environment.ProcessorCount,
        };
        Option<string> checks = new("--checks")
        {
            Description = "Checks, joined by commas: uninitialised, races, alignment, divergence, leaks, all, none.",
            DefaultValueFactory = _ => "all",
        };
        Option<bool> lines = new("--lines") { Description = "Counters by source line too." };
        Command run = new("run", "Compile a program, launch one kernel on the emulated device, print what it wrote and did.")
        {
            file, kernel, grid, block, shared, architecture, arguments, options, repetitions, workers, checks, lines,
        };
        run.SetAction(parsed =>
        {
            bool byLine = parsed.GetValue(lines);
            new KernelRun
            {
                File = parsed.GetRequiredValue(file),
                Kernel = parsed.GetRequiredValue(kernel),
                Grid = Size("--grid", parsed.GetRequiredValue(grid)),
                Block = Size("--block", parsed.GetRequiredValue(block)),
                SharedBytes = parsed.GetValue(shared),
                Architecture = Architecture(parsed.GetRequiredValue(architecture)),
                Arguments = parsed.GetValue(arguments) ?? [],
                Options = parsed.GetValue(options) ?? [],
                Repetitions = Math.Max(1, parsed.GetValue(repetitions)),
                Emulator = new EmulatorOptions
                {
                    Workers = Math.Max(1, parsed.GetValue(workers)),
                    Checks = Checks(parsed.GetRequiredValue(checks)),
                    Output = output,
                    CountLines = byLine ? _ => true : null,
                },
            }.Execute(output);
            return 0;
        });
        RootCommand root = new("A CUDA device in software: executes kernels and reports what they do wrong.") { run };
        ParseResult result = root.Parse(args);
        if (result.Errors.Count > 0)
        {
            errors.WriteLine($"error: {string.Join("; ", result.Errors.Select(e => e.Message.TrimEnd('.')))}; see «run --help»");
            return 2;
        }

        try
        {
            return result.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, Output = output, Error = errors });
        }
        catch (ToolException error)
        {
            errors.WriteLine($"error: {error.Message}");
            return 2;
        }
        catch (KernelRun.FailedException error)
        {
            Violation v = error.Violation;
            errors.WriteLine($"error: {v.Kind} in kernel {v.Kernel}");
            errors.WriteLine($"  what         {v.Text}");
            errors.WriteLine($"  where        {v.Place}");
            errors.WriteLine($"  block        ({v.Block.X},{v.Block.Y},{v.Block.Z})");
            errors.WriteLine($"  thread       ({v.Thread.X},{v.Thread.Y},{v.Thread.Z})");
            errors.WriteLine(v.Address is { } address ? $"  address      0x{address:x}" : "  address      none");
            errors.WriteLine($"  instruction  {v.Instruction}");
            return 1;
        }
        catch (Exception error) when (error is CudaException or PtxException)
        {
            errors.WriteLine($"error: {error.Message}");
            return 1;
        }
    }

    private static Dim3 Size(string option, string text)
    {
        string[] parts = text.Split(',');
        uint[] sizes = new uint[3];
        Array.Fill(sizes, 1u);
        for (int i = 0; i < parts.Length; i++)
        {
            if (i > 2 || !uint.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out sizes[i]) || sizes[i] == 0)
            {
                throw new ToolException($"{option} {text}: wanted one to three positive numbers joined by commas");
            }
        }

        return new Dim3(sizes[0], sizes[1], sizes[2]);
    }

    private static CudaArchitecture Architecture(string text)
    {
        if (!CudaArchitecture.TryParse(text, out CudaArchitecture architecture))
        {
            throw new ToolException($"--arch {text}: wanted the form sm_80");
        }

        try
        {
            EmulatedMachine.OrdinalOf(architecture);
            return architecture;
        }
        catch (ArgumentException error)
        {
            throw new ToolException($"--arch {text}: {error.Message}");
        }
    }

    private static EmulatorCheck Checks(string text)
    {
        EmulatorCheck checks = EmulatorCheck.None;
        foreach (string name in text.Split(','))
        {
            checks |=
                Enum.TryParse(name, true, out EmulatorCheck check) && Enum.IsDefined(check)
                    ? check
                    : throw new ToolException(
                        $"--checks {text}: wanted some of uninitialised, races, alignment, divergence, leaks, all, none, got {name}"
                    );
        }

        return checks;
    }
}
