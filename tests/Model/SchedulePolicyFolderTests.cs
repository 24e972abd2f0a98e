using CoGrpo.Model;
using CoGrpo.Model.Schedule;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Files;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Model;

public sealed class SchedulePolicyFolderTests : IDisposable
{
    private static readonly SchedulePolicySettings Settings = new(
        12,
        [true, false, true, true],
        new ScheduleParametrizationSettings
        {
            HandMade = new HandMadeSettings
            {
                Guidance = 1.25,
                CosineExponent = 0.15,
                RemaskTemperature = 4,
                SamplingTemperature = 0.3,
                Table1Literal = true,
            },
            Mode = RemaskMode.Absolute,
            SigmaRemask = 0.1,
            SigmaSamplingTemperature = 0.2,
            SigmaRemaskTemperature = 0.3,
            SigmaGuidance = 0.4,
            Smoothing = 0.5,
        }
    );

    private readonly TemporaryFolder _folder = new();
    private readonly CpuBackend _backend = new(1);

    private string Schedule => Path.Combine(_folder.Path, SchedulePolicyFolder.Name);

    public void Dispose()
    {
        _backend.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void What_is_saved_is_loaded_from_the_folder_and_from_the_checkpoint()
    {
        float[] weights = Save();
        foreach (string path in new[] { _folder.Path, Schedule })
        {
            using SchedulePolicyFolder loaded = SchedulePolicyFolder.Load(path, _backend);
            Assert.Equal(SchedulePolicyConfig.ForWidth(64), loaded.Policy.Config);
            Assert.Equal(Settings.TrainedSteps, loaded.Settings.TrainedSteps);
            Assert.Equal(Settings.TrainedActions, loaded.Settings.TrainedActions);
            Assert.Equal(Settings.Parametrization, loaded.Settings.Parametrization);
            Assert.Equal(Settings.Parametrization, loaded.Parametrization.Settings);
            Assert.Equal(weights, Weights(loaded.Policy));
        }

        Save();
        Assert.Equal([Schedule], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("\"trainedSteps\": 12", "\"trainedSteps\": 0", "trainedSteps: wanted a number from 1 to 4096, got 0")]
    [InlineData("\"grid\": 4", "\"grid\": 2000000000", "grid: wanted a size from 1 to 16384, got 2000000000")]
    [InlineData("\"mode\": \"absolute\"", "\"mode\": \"best\"", "mode: wanted relative or absolute, got best")]
    [InlineData("\"mode\": \"absolute\"", "\"mode\": null", "wanted the configuration of a schedule policy, got an error at line")]
    [InlineData("\"smoothing\": 0.5", "\"smoothing\": 1", "smoothing wanted a number in [0,1)")]
    [InlineData("\"smoothing\": 0.5", "\"smoothness\": 0.5", "smoothness")]
    [InlineData("\"guidance\": 1.25", "\"guidance\": 1", "hand-made guidance wanted a number above 1")]
    [InlineData(
        "remaskRatio",
        "remaskRation",
        "trainedActions: wanted one or more of remaskRatio, samplingTemperature, remaskTemperature, guidance, got remaskRation"
    )]
    [InlineData("\"mlp2\": 32", "\"mlp2\": 16", "weights do not fit the configuration")]
    [InlineData("{", "", "wanted the configuration of a schedule policy, got an error at line")]
    public void A_wrong_configuration_is_told(string from, string to, string expected)
    {
        Save();
        string file = Path.Combine(Schedule, "config.json");
        string text = File.ReadAllText(file);
        int at = text.IndexOf(from, StringComparison.Ordinal);
        Assert.True(at >= 0);
        File.WriteAllText(file, text.Remove(at, from.Length).Insert(at, to));
        ModelException error = Assert.Throws<ModelException>(() => SchedulePolicyFolder.Load(_folder.Path, _backend));
        Assert.StartsWith(Schedule, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_and_damaged_files_are_told()
    {
        Assert.Contains(
            "wanted a checkpoint with a folder schedule_policy",
            Assert.Throws<ModelException>(() => SchedulePolicyFolder.Load(_folder.Path, _backend)).Message,
            StringComparison.Ordinal
        );
        Save();
        string weights = Path.Combine(Schedule, "model.safetensors");
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..100]);
        Assert.Throws<SafetensorsException>(() => SchedulePolicyFolder.Load(_folder.Path, _backend));
        File.Delete(weights);
        Assert.Contains(
            "the file is missing",
            Assert.Throws<ModelException>(() => SchedulePolicyFolder.Load(_folder.Path, _backend)).Message,
            StringComparison.Ordinal
        );
    }

    private float[] Save()
    {
        using var policy = new SchedulePolicy(SchedulePolicyConfig.ForWidth(64), _backend);
        Initialisation.FromScratch(policy.Parameters, _backend, 7);
        SchedulePolicyFolder.Save(Schedule, policy, Settings);
        return Weights(policy);
    }

    private float[] Weights(SchedulePolicy policy)
    {
        float[] values = new float[policy.Parameters.Values.Shape.Count];
        _backend.Download<float>(policy.Parameters.Values, values);
        return values;
    }
}
