using System.CommandLine;
using System.Globalization;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Planning;
using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Cli.Commands;

/// <summary>
/// <c>plan</c>: parameters, work, memory and modelled time of a run, without running it; whether it fits a memory, and with which settings it would.
/// </summary>
internal sealed class PlanCommand : RunCommand<PlanRequest>
{
    private const double Gigabyte = 1e9;
    private const double MostGigabytes = 1e6;

    private static readonly string[] Keys = [.. DeviceModel.All.Select(device => device.Key)];

    private readonly Option<double?> _memory = new("--memory")
    {
        Description = "Memory of the device in GB of 10^9 bytes; without it train.memory, or that of --gpu.",
        HelpName = "GB",
    };
    private readonly Option<string?> _gpu = new("--gpu")
    {
        Description = $"GPU to plan for, {string.Join(" or ", Keys)}; without one the times of all, and the memory of the A100.",
        HelpName = string.Join('|', Keys),
    };

    /// <summary>The command with its work.</summary>
    public PlanCommand(CliContext context, CommandBody<PlanRequest> body)
        : base(
            "plan",
            "Show parameters, memory, work and modelled time of a training run before it is started, and settings that fit a GPU.",
            context,
            body
        )
    {
        _gpu.AcceptOnlyFromAmong(Keys);
        Add(_memory);
        Add(_gpu);
    }

    /// <summary>The work of the command.</summary>
    public static int Print(PlanRequest request, TextWriter output, IProgressReporter progress)
    {
        progress.Begin("plan", 1);
        RunPlan plan = RunPlan.Of(request.Configuration);
        progress.Begin("plan switches", PlanSwitch.Of(request.Configuration).Count);
        int planned = 0;
        var gate = new Lock();
        IReadOnlyList<PlanSaving> savings = PlanSearch.Savings(plan, () =>
        {
            lock (gate)
            {
                progress.Report(++planned, "");
            }
        });
        progress.End();
        TableOutput.Write(output, PlanReport.Networks(plan));
        output.WriteLine();
        TableOutput.Write(output, PlanReport.Memory(plan));
        output.WriteLine();
        TableOutput.Write(output, PlanReport.Work(plan));
        output.WriteLine();
        if (request.Devices.Count > 0)
        {
            TableOutput.Write(output, PlanReport.Times(plan, request.Devices));
            output.WriteLine();
        }

        if (savings.Count > 0)
        {
            TableOutput.Write(output, PlanReport.Savings(plan, savings, request.Devices.Count > 0 ? request.Devices[0] : null));
            output.WriteLine();
        }

        if (request.Configuration.Device == DeviceName.Cuda && request.Configuration.Gemm == GemmChoice.Cublas)
        {
            output.WriteLine("not included: the workspace of cuBLASLt");
        }

        return request.Memory is { } bytes ? Judge(plan, bytes, output, progress) : ExitCode.Success;
    }

    /// <inheritdoc/>
    protected override PlanRequest Read(ParseResult parsed)
    {
        RunConfiguration configuration = Run.Load(parsed);

        // Planning is for GPUs; no configuration has to say so before there is one.
        bool cpu = parsed.GetValue(DeviceOption.Device) == "cpu";
        configuration = configuration with { Device = cpu ? DeviceName.Cpu : DeviceName.Cuda };
        DeviceModel? device = parsed.GetValue(_gpu) is { } key ? DeviceModel.Find(key) : null;
        if (cpu && device is not null)
        {
            throw new CommandException("--gpu: expected no --device cpu with it, found both; leave one out", ExitCode.Usage);
        }

        double? memory = parsed.GetValue(_memory);
        if (memory is not null and not (> 0 and <= MostGigabytes))
        {
            throw new CommandException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"--memory: expected GB above 0, at most {MostGigabytes:0}, found {memory}; correct the option"
                ),
                ExitCode.Usage
            );
        }

        if (memory is null && device is null && configuration.Train.Memory > 0)
        {
            memory = configuration.Train.Memory;
        }

        IReadOnlyList<DeviceModel> devices =
            cpu ? []
            : device is null ? [DeviceModel.Default, .. DeviceModel.All.Where(d => d != DeviceModel.Default)]
            : [device];
        return new PlanRequest(
            configuration,
            devices,
            memory is { } gigabytes ? (long)(gigabytes * Gigabyte)
                : cpu ? null
                : devices[0].MemoryBytes
        );
    }

    private static int Judge(RunPlan plan, long bytes, TextWriter output, IProgressReporter progress)
    {
        string limit = (bytes / Gigabyte).ToString("0.##", CultureInfo.InvariantCulture);
        if (plan.Memory.PeakBytes <= bytes)
        {
            output.WriteLine($"fits {limit} GB: {PlanReport.Gigabytes(bytes - plan.Memory.PeakBytes)} GB are left");
            return ExitCode.Success;
        }

        progress.Begin($"look for settings that fit {limit} GB", 1);
        PlanFit fit = PlanSearch.Fit(plan, bytes);
        progress.End();
        output.WriteLine($"does not fit {limit} GB: {PlanReport.Gigabytes(plan.Memory.PeakBytes - bytes)} GB too much");
        output.WriteLine(fit.Fits
            ? $"fits with these settings, {PlanReport.Gigabytes(fit.Plan.Memory.PeakBytes)} GB:"
            : $"nothing fits; the least is {PlanReport.Gigabytes(fit.Plan.Memory.PeakBytes)} GB:");
        foreach (string setting in fit.Settings)
        {
            output.WriteLine($"  --set {setting}");
        }

        return fit.Fits ? ExitCode.Success : ExitCode.Failure;
    }
}
