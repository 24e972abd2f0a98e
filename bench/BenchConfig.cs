using BenchmarkDotNet.Analysers;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using CoGrpo.Bench.Reference;
using CoGrpo.Bench.Report;
using CoGrpo.Bench.Suites;
using Perfolizer.Horology;

namespace CoGrpo.Bench;

/// <summary>Few and short iterations in this process, so that all suites together take minutes and share the measured peak and OpenBLAS.</summary>
internal static class BenchConfig
{
    /// <param name="artifacts">Where BenchmarkDotNet keeps its log.</param>
    /// <param name="ownJob">False when the command line names a job, which then replaces this one.</param>
    public static IConfig Create(string artifacts, bool ownJob)
    {
        ManualConfig config = ManualConfig.CreateEmpty()
            .WithArtifactsPath(artifacts)
            .AddLogger(ConsoleLogger.Default)
            .AddAnalyser(EnvironmentAnalyser.Default)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddColumn([.. WorkColumn.All])
            .WithOptions(ConfigOptions.DisableLogFile);
        if (OpenBlasLibrary.Shared is null)
        {
            config.AddFilter(new NameFilter(name => !name.Contains(nameof(MatrixProduct.OpenBlas), StringComparison.Ordinal)));
        }

        return ownJob ? config.AddJob(Job.Default
            .WithToolchain(new InProcessEmitToolchain(TimeSpan.FromMinutes(30), false))
            .WithWarmupCount(2)
            .WithIterationCount(7)
            .WithIterationTime(TimeInterval.FromMilliseconds(80))
            .WithUnrollFactor(1)
            .WithEvaluateOverhead(false)) : config;
    }
}
