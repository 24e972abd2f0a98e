using CoGrpo.Model.Text;
using CoGrpo.Rl.Configuration;

namespace CoGrpo.Tests.Rl;

public sealed class ConfigurationLoaderTests
{
    private static RunConfiguration Parse(string json, params string[] overrides) => ConfigurationLoader.Parse(json, "run.json", overrides);

    private static ConfigurationException Refused(string json, params string[] overrides) =>
        Assert.Throws<ConfigurationException>(() => Parse(json, overrides));

    [Fact]
    public void Nothing_given_is_the_quick_start()
    {
        RunConfiguration c = Parse("{}");
        Assert.Equal(PresetName.EmojiScenes, c.Preset);
        Assert.Equal(8, c.Sampling.Steps);
        Assert.Equal(1.25, c.Sampling.HandMade.Guidance);
        Assert.Equal((6, 96, 8, 256), (c.Train.Model.Group, c.Train.Model.Batch, c.Train.Schedule.Group, c.Train.Schedule.Batch));
        Assert.Equal((2e-4, 3e-3, 4), (c.Train.Model.LearningRate, c.Train.Schedule.LearningRate, c.Train.Model.StepsTrained));
        Assert.Equal([0.5, 0.4, 0.4, 0.4], c.Schedule.Sigma);
    }

    [Fact]
    public void Paper_preset_is_the_published_setting()
    {
        RunConfiguration c = Parse("""{ "preset": "paper", "data": { "promptFiles": ["p.txt"] } }""");
        Assert.Equal((48, 9.0), (c.Sampling.Steps, c.Sampling.HandMade.Guidance));
        Assert.Equal([(100, 67), (100, 67), (100, 66)], c.Train.Cycles.Select(x => (x.Model, x.Schedule)));
        Assert.Equal((300, 200), (c.Train.Cycles.Sum(x => x.Model), c.Train.Cycles.Sum(x => x.Schedule)));
        Assert.Equal((6, 96, 8, 256), (c.Train.Model.Group, c.Train.Model.Batch, c.Train.Schedule.Group, c.Train.Schedule.Batch));
        Assert.Equal(
            (1e-5, 0.02, 1e-4, 0.0),
            (c.Train.Model.LearningRate, c.Train.Model.WeightDecay, c.Train.Schedule.LearningRate, c.Train.Schedule.WeightDecay)
        );
        Assert.Equal([0.9, 0.95], c.Train.Model.Betas);
        Assert.Equal(
            (1024, 14, 28, 8192, 8256),
            (c.Model.Width, c.Model.NumLayers, c.Model.NumSingleLayers, c.Model.CodebookSize, c.Model.VocabSize)
        );
        Assert.Equal(ScheduleMode.Relative, c.Schedule.Mode);
    }

    [Fact]
    public void Comments_and_trailing_commas_are_fine()
    {
        RunConfiguration c = Parse("// a\n{ /* b */ \"seed\": 5, \"schedule\": { \"sigma\": [1, 1, 1, 0.5,], }, }\n");
        Assert.Equal(5, c.Seed);
        Assert.Equal(0.5, c.Schedule.Sigma[3]);
    }

    [Fact]
    public void A_file_changes_only_what_it_names()
    {
        RunConfiguration c = Parse("""{ "train": { "model": { "learningRate": 2e-4 } } }""");
        Assert.Equal(2e-4, c.Train.Model.LearningRate);
        Assert.Equal(new RunConfiguration().Train.Schedule.LearningRate, c.Train.Schedule.LearningRate);
        Assert.Equal(96, c.Train.Model.Batch);
    }

    [Theory]
    [InlineData(
        "{\n \"train\": {\n  \"model\": {\n   \"lerningRate\": 1\n}}}",
        "run.json:4: unknown setting train.model.lerningRate",
        "did you mean learningRate?"
    )]
    [InlineData("{ \"sede\": 1 }", "run.json:1: unknown setting sede", "did you mean seed?")]
    [InlineData("{ \"model\": { \"numLayers\": 1 } }", "run.json:1: unknown setting model.numLayers", "did you mean num_layers?")]
    [InlineData("{ \"train\": { \"rewards\": [ { \"nam\": \"fidelity\" } ] } }", "unknown setting train.rewards[0].nam", "did you mean name?")]
    [InlineData(
        "{ \"train\": { \"model\": { \"lora\": { \"targets\": [\"atention\"] } } } }",
        "run.json:1: train.model.lora.targets",
        "did you mean attention?"
    )]
    [InlineData("{ \"train\": { \"model\": { \"lora\": { \"rang\": 4 } } } }", "unknown setting train.model.lora.rang", "did you mean rank?")]
    [InlineData("{ \"pretrain\": { \"warmpu\": 1 } }", "unknown setting pretrain.warmpu", "did you mean warmup?")]
    public void Unknown_keys_name_path_line_and_nearest(string json, string start, string nearest)
    {
        string message = Refused(json).Message;
        Assert.Contains(start, message, StringComparison.Ordinal);
        Assert.EndsWith(nearest, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData(
        "{ \"seed\": \"x\" }",
        "run.json:1: seed: expected a whole number at least 0, found \"x\"; correct the value or remove it to keep the preset's"
    )]
    [InlineData("{ \"seed\": -1 }", "run.json:1: seed: expected a whole number at least 0, found -1;")]
    [InlineData("{ \"seed\": 1.5 }", "expected a whole number at least 0, found 1.5;")]
    [InlineData("{ \"seed\": 99999999999999999999 }", "expected a whole number at least 0, found 99999999999999999999;")]
    [InlineData("{ \"threads\": 3000000000 }", "threads: expected a whole number at least 0 and at most 1024, found 3000000000;")]
    [InlineData("{\n\n\"sampling\": 5 }", "run.json:3: sampling: expected an object with steps, handMade, width, height, microBatch, found 5;")]
    [InlineData("{ \"sampling\": null }", "sampling: expected an object, found null;")]
    [InlineData("{ \"pretrain\": { \"learningRate\": 0 } }", "pretrain.learningRate: expected a number above 0 and at most 1, found 0;")]
    [InlineData("{ \"pretrain\": { \"learningRate\": 1e999 } }", "pretrain.learningRate: expected a number above 0 and at most 1, found 1e999;")]
    [InlineData("{ \"pretrain\": { \"betas\": [0.9] } }", "pretrain.betas: expected a list of 2 entries, found a list of 1;")]
    [InlineData("{ \"pretrain\": { \"betas\": [0.9, 1] } }", "pretrain.betas[1]: expected a number at least 0 and below 1, found 1;")]
    [InlineData("{ \"schedule\": { \"sigma\": [0.3, 0.3, 0.3, 0] } }", "schedule.sigma[3]: expected a number above 0 and at most 10, found 0;")]
    [InlineData("{ \"schedule\": { \"sigma\": [] } }", "schedule.sigma: expected a list of 4 entries, found a list of 0;")]
    [InlineData("{ \"schedule\": { \"commonRandomNumbers\": 1 } }", "schedule.commonRandomNumbers: expected true or false, found 1;")]
    [InlineData(
        "{ \"train\": { \"mode\": \"cogrpo\" } }",
        "train.mode: expected co-grpo or joint or naive or schedule, found \"cogrpo\"; did you mean co-grpo?"
    )]
    [InlineData("{ \"train\": { \"mode\": 1 } }", "train.mode: expected co-grpo or joint or naive or schedule, found 1; choose one of these words")]
    [InlineData("{ \"train\": { \"model\": { \"cfgGrad\": \"detach\" } } }", "expected both or detachUncond or none, found \"detach\"")]
    [InlineData(
        "{ \"train\": { \"model\": { \"stepsTrained\": \"every\" } } }",
        "train.model.stepsTrained: expected a whole number at least 0 or \"all\", found \"every\";"
    )]
    [InlineData("{ \"train\": { \"model\": { \"twoSidedCap\": 1 } } }", "train.model.twoSidedCap: expected a number above 1 or null, found 1;")]
    [InlineData("{ \"output\": { \"directory\": \"\" } }", "output.directory: expected a string, found \"\";")]
    [InlineData("{ \"data\": { \"grid\": 4 } }", "data.grid: expected a whole number at least 2 and at most 3, found 4;")]
    [InlineData("[]", "run.json:1: the configuration is not an object: expected { ... }, found a list of 0;")]
    [InlineData("{ \"seed\": 1,\n\"seed\": 2 }", "run.json:2: \"seed\" is given twice: expected one value per setting; remove one of the two")]
    [InlineData("{ \"preset\": \"papper\" }", "preset: expected emoji-scenes or paper, found \"papper\"; did you mean paper?")]
    public void Wrong_values_say_what_was_expected_and_found(string json, string part)
    {
        string message = Refused(json).Message;
        Assert.Contains(part, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("{\n\"seed\": }", "run.json:2: not valid JSON")]
    [InlineData("", "run.json:1: not valid JSON")]
    [InlineData("{ \"seed\": 1", "not valid JSON")]
    [InlineData("{} {}", "not valid JSON")]
    [InlineData("{ \"output\": { \"directory\": \"\\ud800\" } }", "a string is not valid text")]
    public void Broken_JSON_is_refused_with_its_line(string json, string part)
        => Assert.Contains(part, Refused(json).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(
        "train.model.batch=97",
        "--set train.model.batch=97: train.model.batch: expected a multiple of train.model.group = 6, found 97; change one of the two"
    )]
    [InlineData("train.schedule.batch=9", "expected a multiple of train.schedule.group = 8, found 9")]
    [InlineData(
        "train.mode=naive",
        "train.cycles: expected no schedule iterations, since train.mode is naive, found 32; set train.cycles=[{\"model\":12}], or another mode"
    )]
    [InlineData(
        "train.mode=schedule",
        "expected no model iterations, since train.mode is schedule, found 12; set train.cycles=[{\"schedule\":32}], or another mode"
    )]
    [InlineData("train.mode=joint", "expected equal counts of model and schedule, since a joint iteration trains both")]
    [InlineData("train.cycles=[{}]", "train.cycles: expected at least one iteration, found 0")]
    [InlineData("train.cycles=[]", "train.cycles: expected a list of 1 to 1000 entries, found a list of 0")]
    [InlineData("train.model.stepsTrained=9", "train.model.stepsTrained: expected at most sampling.steps = 8, or \"all\", found 9; lower it")]
    [InlineData("train.model.twoSidedCap=1.1", "expected more than 1 plus the upper clip, found 1.1")]
    [InlineData("train.schedule.twoSidedCap=1.1", "train.schedule.twoSidedCap: expected more than 1 plus the upper clip, found 1.1")]
    [InlineData("sampling.steps=65", "sampling.steps: expected at most 64, one step per code of a picture, found 65")]
    [InlineData("train.evaluation.steps=[100]", "train.evaluation.steps: expected at most 64")]
    [InlineData("sampling.handMade.guidance=1", "expected above 1 while guidance is learned")]
    [InlineData("schedule.policyWidth=100", "expected 64, 128, 256, 384, 512 or 1024, found 100")]
    [InlineData("schedule.policyWidth=64", "expected the model's width 128, whose features the policy reads, found 64")]
    [InlineData("schedule.actions=[\"guidance\",\"guidance\"]", "schedule.actions: expected each action once")]
    [InlineData("model.attention_head_dim=64", "model.axes_dims_rope: expected three widths that add up to attention_head_dim = 64, found 32")]
    [InlineData("model.axes_dims_rope=[9,11,12]", "expected even widths (rotation works on pairs), found 9, 11, 12")]
    [InlineData(
        "model.num_attention_heads=8",
        "model.pooled_projection_dim: expected the model's width, attention_head_dim x num_attention_heads = 256, found 128"
    )]
    [InlineData("model.vocab_size=431", "expected more than codebook_size = 431, since the last row is the mask, found 431")]
    [InlineData("model.upsample=true", "model.upsample: expected the same as downsample = false, or the logits do not match the codes, found true")]
    [InlineData(
        "model.textEncoder.num_attention_heads=3",
        "model.textEncoder.hidden_size: expected a multiple of num_attention_heads = 3, found 128"
    )]
    [InlineData("model.joint_attention_dim=64", "model.joint_attention_dim: expected the text encoder's hidden_size = 128, found 64")]
    [InlineData("pretrain.microBatch=48", "pretrain.microBatch: expected a divisor of pretrain.batch = 64, found 48")]
    [InlineData("pretrain.warmup=6501", "pretrain.warmup: expected at most pretrain.steps = 6500, found 6501")]
    [InlineData(
        "pretrain.taskWeights={\"single\":0,\"two\":0,\"counting\":0,\"colours\":0,\"position\":0,\"attribution\":0}",
        "expected at least one weight above 0, found only zeros"
    )]
    [InlineData(
        "train.rewards=[{\"name\":\"hpsv2\"}]",
        "train.rewards: expected adherence or fidelity, since data.name is emoji-scenes, found hpsv2"
    )]
    [InlineData("train.rewards=[{\"name\":\"fidelity\"},{\"name\":\"fidelity\"}]", "expected each reward once, found fidelity twice")]
    [InlineData("data.promptFiles=[\"x.txt\"]", "data.promptFiles: expected none, since emoji-scenes makes its own prompts")]
    [InlineData("preset=paper", "data.promptFiles: expected a file of prompts, since data.name is prompts, found none")]
    public void Contradictions_are_refused(string change, string part)
    {
        string message = Refused("{}", change).Message;
        Assert.Contains(part, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Joint_needs_one_rollout_size()
    {
        Assert.Contains(
            "expected batch and group of train.model (96, 6), since a joint iteration has one rollout, found 256, 8",
            Refused("{}", "train.mode=joint", "train.cycles=[{\"model\":3,\"schedule\":3}]").Message,
            StringComparison.Ordinal
        );
        RunConfiguration c = Parse(
            "{}",
            "train.mode=joint",
            "train.cycles=[{\"model\":3,\"schedule\":3}]",
            "train.schedule.batch=96",
            "train.schedule.group=6"
        );
        Assert.Equal(TrainMode.Joint, c.Train.Mode);
    }

    [Fact]
    public void Overrides_win_in_order_and_take_words_numbers_lists_and_entries()
    {
        RunConfiguration c = Parse(
            """{ "seed": 1, "train": { "mode": "co-grpo" } }""",
            "seed=2",
            "seed=3",
            "train.mode=naive",
            "train.cycles=[{\"model\":40},{\"model\":1}]",
            "train.cycles[0].model=41",
            "schedule.sigma[2]=0.25",
            "output.directory=runs/x=y",
            "train.model.stepsTrained=all",
            "schedule.commonRandomNumbers=true",
            "train.model.clipEpsilonHigh=0.28"
        );
        Assert.Equal(3, c.Seed);
        Assert.Equal([41, 1], c.Train.Cycles.Select(x => x.Model));
        Assert.Equal([0.5, 0.4, 0.25, 0.4], c.Schedule.Sigma);
        Assert.Equal("runs/x=y", c.Output.Directory);
        Assert.Equal(0, c.Train.Model.StepsTrained);
        Assert.True(c.Schedule.CommonRandomNumbers);
        Assert.Equal(0.28, c.Train.Model.ClipEpsilonHigh);
        Assert.Equal([0.5, 0.4, 0.4, 0.4], new RunConfiguration().Schedule.Sigma);
    }

    [Theory]
    [InlineData("seed", "--set seed: not an override: expected path=value as in --set train.mode=naive, found \"seed\";")]
    [InlineData("=1", "not an override")]
    [InlineData("sed=1", "--set sed=1: unknown setting sed: expected one of preset, seed,")]
    [InlineData("train.model.lr=1", "unknown setting train.model.lr")]
    [InlineData("seed.x=1", "seed: expected a whole number at least 0, found an object;")]
    [InlineData("seed[0]=1", "--set seed[0]=1: seed: expected a whole number at least 0, found an entry of a list;")]
    [InlineData("train.cycles[9].model=1", "train.cycles[9] does not exist: expected an index below 2; set the whole list: train.cycles=[...]")]
    [InlineData("train.cycles[x].model=1", "\"cycles[x]\" is not an entry of a list")]
    [InlineData("train.cycles=[{", "the value is not valid JSON")]
    [InlineData("seed=abc", "seed: expected a whole number at least 0, found \"abc\";")]
    public void Wrong_overrides_are_refused_as_typed(string change, string part)
        => Assert.Contains(part, Refused("{}", change).Message, StringComparison.Ordinal);

    [Fact]
    public void A_missing_file_is_one_line()
    {
        ConfigurationException error = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load("no/such.json", []));
        Assert.Equal("no/such.json: no such configuration file; check the path; examples are in the folder configs", error.Message);
    }

    [Fact]
    public void Input_paths_refer_to_the_file_and_overrides_to_the_current_folder()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            string file = Path.Combine(folder, "run.json");
            File.WriteAllText(file, """{ "model": { "checkpoint": "../base" }, "output": { "directory": "runs/a" } }""");
            RunConfiguration c = ConfigurationLoader.Load(file, []);
            Assert.Equal(Path.GetFullPath(Path.Combine(folder, "..", "base")), c.Model.Checkpoint);
            Assert.Equal("runs/a", c.Output.Directory);
            Assert.Equal(Path.GetFullPath("base"), ConfigurationLoader.Load(file, ["model.checkpoint=base"]).Model.Checkpoint);
            Assert.Null(ConfigurationLoader.Load(file, ["model.checkpoint=null"]).Model.Checkpoint);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("learningRate", "lerningRate", 1)]
    [InlineData("warmup", "warmpu", 1)]
    [InlineData("", "abc", 3)]
    [InlineData("same", "same", 0)]
    [InlineData("kitten", "sitting", 3)]
    public void Edit_distance(string a, string b, int expected)
    {
        Assert.Equal(expected, NearestName.Distance(a, b));
        Assert.Equal(expected, NearestName.Distance(b, a));
    }
}
