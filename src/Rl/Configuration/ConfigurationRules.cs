using CoGrpo.Model.Lora;
using CoGrpo.Model.Text;

namespace CoGrpo.Rl.Configuration;

/// <summary>The rules that tie settings together.</summary>
internal static class ConfigurationRules
{
    private static readonly int[] PolicyWidths = [64, 128, 256, 384, 512, 1024];

    /// <summary>
    /// Throws for the first rule broken; <paramref name="placeOf"/> names where a setting came from. With <paramref name="promptsGiven"/> no file of
    /// prompts is needed.
    /// </summary>
    public static void Check(RunConfiguration c, bool promptsGiven, Func<string, string> placeOf)
    {
        void Demand(bool holds, string path, string expected, object found, string next)
        {
            if (!holds)
            {
                string text = FormattableString.Invariant($"{found}");
                throw new ConfigurationException(placeOf(path), path, expected, text, next);
            }
        }

        Model(c.Model, Demand);
        Data(c, promptsGiven, Demand);
        Schedule(c, Demand);
        Pretrain(c.Pretrain, Demand);
        Train(c, Demand);
    }

    private delegate void Rule(bool holds, string path, string expected, object found, string next);

    private static void Model(ModelConfiguration m, Rule demand)
    {
        demand(
            m.NumLayers + m.NumSingleLayers > 0,
            "model.num_layers",
            "at least one block of either kind",
            0,
            "raise num_layers or num_single_layers"
        );
        demand(
            m.AxesDimsRope.Sum() == m.AttentionHeadDim,
            "model.axes_dims_rope",
            $"three widths that add up to attention_head_dim = {m.AttentionHeadDim}",
            m.AxesDimsRope.Sum(),
            "change one of the two"
        );
        demand(
            m.AxesDimsRope.All(d => d % 2 == 0),
            "model.axes_dims_rope",
            "even widths (rotation works on pairs)",
            string.Join(", ", m.AxesDimsRope),
            "make each width even"
        );
        demand(
            m.PooledProjectionDim == m.Width,
            "model.pooled_projection_dim",
            $"the model's width, attention_head_dim x num_attention_heads = {m.Width}",
            m.PooledProjectionDim,
            "change one of the three"
        );
        demand(
            m.VocabSize > m.CodebookSize,
            "model.vocab_size",
            $"more than codebook_size = {m.CodebookSize}, since the last row is the mask",
            m.VocabSize,
            "raise vocab_size"
        );
        demand(
            m.Downsample == m.Upsample,
            "model.upsample",
            $"the same as downsample = {(m.Downsample ? "true" : "false")}, or the logits do not match the codes",
            m.Upsample ? "true" : "false",
            "set both alike"
        );
        TextEncoderConfiguration t = m.TextEncoder;
        demand(
            t.HiddenSize % t.NumAttentionHeads == 0,
            "model.textEncoder.hidden_size",
            $"a multiple of num_attention_heads = {t.NumAttentionHeads}",
            t.HiddenSize,
            "change one of the two"
        );
        demand(
            t.HiddenSize == m.JointAttentionDim,
            "model.joint_attention_dim",
            $"the text encoder's hidden_size = {t.HiddenSize}",
            m.JointAttentionDim,
            "change one of the two"
        );
    }

    private static void Data(RunConfiguration c, bool promptsGiven, Rule demand)
    {
        bool prompts = c.Data.Name == DataName.Prompts;
        demand(
            !prompts || promptsGiven || c.Data.PromptFiles.Count > 0,
            "data.promptFiles",
            "a file of prompts, since data.name is prompts",
            "none",
            "name a file, or set data.name to emoji-scenes"
        );
        demand(
            prompts || c.Data.PromptFiles.Count + c.Data.HeldOutFiles.Count == 0,
            "data.promptFiles",
            "none, since emoji-scenes makes its own prompts",
            c.Data.PromptFiles.Concat(c.Data.HeldOutFiles).FirstOrDefault() ?? "",
            "remove it, or set data.name to prompts"
        );
        int codes = 16 * c.Data.Grid * c.Data.Grid;
        if (!prompts)
        {
            foreach ((string path, int size) in new[] { ("sampling.width", c.Sampling.Width), ("sampling.height", c.Sampling.Height) })
            {
                demand(size == 0, path, "auto, since emoji-scenes has pictures of its own size", size, "remove it, or set data.name to prompts");
            }

            demand(
                c.Sampling.Steps <= codes,
                "sampling.steps",
                $"at most {codes}, one step per code of a picture",
                c.Sampling.Steps,
                "lower the steps"
            );
            foreach (int steps in c.Train.Evaluation.Steps)
            {
                demand(steps <= codes, "train.evaluation.steps", $"at most {codes}, one step per code of a picture", steps, "lower the steps");
            }
        }

        HashSet<string> seen = [];
        foreach (
            (string path, RewardConfiguration reward) in c
                .Train.Rewards.Select(reward => ("train.rewards", reward))
                .Concat(c.Train.Evaluation.Metrics.Select(metric => ("train.evaluation.metrics", metric)))
        )
        {
            string name = SettingInfo.EnumNames(typeof(RewardName))[(int)reward.Name];
            bool ofEmoji = reward.Name is RewardName.Adherence or RewardName.Fidelity;
            demand(
                ofEmoji != prompts,
                path,
                prompts
                    ? "imageReward, hpsv2, clipScore, mps or remote, since data.name is prompts"
                    : "adherence or fidelity, since data.name is emoji-scenes",
                name,
                "change the reward or the data"
            );
            bool remote = reward.Name == RewardName.Remote;
            demand(
                seen.Add(remote ? $"{name} {reward.Url}" : $"{name} {(reward.Name == RewardName.HpsV2 ? reward.Version : 0)}"),
                path,
                "each reward once",
                $"{name} twice",
                "keep one and give it the whole weight"
            );
            demand(
                !remote || (Uri.TryCreate(reward.Url, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https"),
                path,
                "a remote reward with the url of its server, as in http://localhost:8080/score",
                reward.Url ?? "none",
                "set its url"
            );
        }
    }

    private static void Schedule(RunConfiguration c, Rule demand)
    {
        demand(
            PolicyWidths.Contains(c.Schedule.PolicyWidth),
            "schedule.policyWidth",
            "64, 128, 256, 384, 512 or 1024",
            c.Schedule.PolicyWidth,
            "choose the model's width"
        );
        demand(
            c.Schedule.Actions.Distinct().Count() == c.Schedule.Actions.Count,
            "schedule.actions",
            "each action once",
            "one twice",
            "remove the second"
        );
        bool learns = c.Train.Mode != TrainMode.Naive;
        demand(
            !learns || c.Model.Checkpoint is not null || c.Schedule.PolicyWidth == c.Model.Width,
            "schedule.policyWidth",
            $"the model's width {c.Model.Width}, whose features the policy reads",
            c.Schedule.PolicyWidth,
            $"set schedule.policyWidth to {c.Model.Width}, or train.mode to naive"
        );
        demand(
            !learns || c.Sampling.HandMade.Guidance > 1 || !c.Schedule.Actions.Contains(ScheduleActionName.Guidance),
            "sampling.handMade.guidance",
            "above 1 while guidance is learned (it is 1 plus an exponential, which cannot start at 1)",
            c.Sampling.HandMade.Guidance,
            "start from 1.25, or remove guidance from schedule.actions"
        );
    }

    private static void Pretrain(PretrainConfiguration p, Rule demand)
    {
        demand(p.Batch % p.MicroBatch == 0, "pretrain.microBatch", $"a divisor of pretrain.batch = {p.Batch}", p.MicroBatch, "change one of the two");
        demand(p.Warmup <= p.Steps, "pretrain.warmup", $"at most pretrain.steps = {p.Steps}", p.Warmup, "lower the warm-up");
        TaskWeights w = p.TaskWeights;
        demand(
            w.Single + w.Two + w.Counting + w.Colours + w.Position + w.Attribution > 0,
            "pretrain.taskWeights",
            "at least one weight above 0",
            "only zeros",
            "raise a weight"
        );
    }

    private static void Train(RunConfiguration c, Rule demand)
    {
        TrainConfiguration t = c.Train;
        Lora(t, demand);
        demand(
            t.Model.Batch % t.Model.Group == 0,
            "train.model.batch",
            $"a multiple of train.model.group = {t.Model.Group}",
            t.Model.Batch,
            "change one of the two"
        );
        demand(
            t.Schedule.Batch % t.Schedule.Group == 0,
            "train.schedule.batch",
            $"a multiple of train.schedule.group = {t.Schedule.Group}",
            t.Schedule.Batch,
            "change one of the two"
        );
        demand(
            t.Model.StepsTrained <= c.Sampling.Steps,
            "train.model.stepsTrained",
            $"at most sampling.steps = {c.Sampling.Steps}, or \"all\"",
            t.Model.StepsTrained,
            "lower it"
        );
        demand(
            t.Model.StepsTrained == 0 || t.Model.StepsTrained > c.Sampling.Steps || c.Sampling.Steps % t.Model.StepsTrained == 0,
            "train.model.stepsTrained",
            $"a divisor of sampling.steps = {c.Sampling.Steps}, so that all blocks are equal, or \"all\"",
            t.Model.StepsTrained,
            "change one of the two"
        );

        int model = t.Cycles.Sum(cycle => cycle.Model);
        int schedule = t.Cycles.Sum(cycle => cycle.Schedule);
        demand(model + schedule > 0 || t.Mode == TrainMode.Naive, "train.cycles", "at least one iteration", 0, "raise a count, or set train.mode to naive to score the base alone");
        demand(t.Mode != TrainMode.Naive || schedule == 0, "train.cycles", "no schedule iterations, since train.mode is naive", schedule, $"set train.cycles=[{{\"model\":{Math.Max(1, model)}}}], or another mode");
        demand(t.Mode != TrainMode.Schedule || model == 0, "train.cycles", "no model iterations, since train.mode is schedule", model, $"set train.cycles=[{{\"schedule\":{Math.Max(1, schedule)}}}], or another mode");
        demand(
            t.Mode != TrainMode.Joint || t.Cycles.All(cycle => cycle.Model == cycle.Schedule), "train.cycles",
            "equal counts of model and schedule, since a joint iteration trains both", $"{model} and {schedule} in total", "make the two counts of each cycle equal");
        demand(
            t.Mode != TrainMode.Joint || (t.Model.Batch == t.Schedule.Batch && t.Model.Group == t.Schedule.Group), "train.schedule.batch",
            $"batch and group of train.model ({t.Model.Batch}, {t.Model.Group}), since a joint iteration has one rollout", $"{t.Schedule.Batch}, {t.Schedule.Group}", "make them equal");
        demand(t.Model.TwoSidedCap is not { } cap || cap > 1 + (t.Model.ClipEpsilonHigh ?? t.Model.ClipEpsilon), "train.model.twoSidedCap", "more than 1 plus the upper clip", t.Model.TwoSidedCap ?? 0, "raise the cap or set it to null");
        demand(t.Schedule.TwoSidedCap is not { } high || high > 1 + (t.Schedule.ClipEpsilonHigh ?? t.Schedule.ClipEpsilon), "train.schedule.twoSidedCap", "more than 1 plus the upper clip", t.Schedule.TwoSidedCap ?? 0, "raise the cap or set it to null");
    }

    private static void Lora(TrainConfiguration t, Rule demand)
    {
        LoraConfiguration lora = t.Model.Lora;
        foreach (string target in lora.Targets)
        {
            demand(
                LoraTargets.Known.Contains(target),
                "train.model.lora.targets",
                string.Join(" or ", LoraTargets.Known),
                target,
                $"did you mean {NearestName.Find(target, LoraTargets.Known)}?"
            );
        }

        demand(
            lora.Targets.Distinct().Count() == lora.Targets.Count,
            "train.model.lora.targets",
            "each target once",
            "one twice",
            "remove the second"
        );
        demand(
            lora.Rank == 0 || t.Mode != TrainMode.Schedule,
            "train.model.lora.rank",
            "0, since train.mode is schedule and the model does not learn",
            lora.Rank,
            "set it to 0, or choose another mode"
        );
    }
}
