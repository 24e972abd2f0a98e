using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Sampling;
using MaskedSampling;

string[] sample = ["/\\/\\....", "\\/\\/....", "..../\\/\\", "....\\/\\/"];
const int Height = 12, Width = 48, Steps = 64;
using var backend = new CpuBackend();
var model = new TextureModel(sample, Height, Width, backend);
using var sampler = new MaskedSampler(model, new SamplerOptions { MicroBatch = 1 });
var schedule = new HandMadeSchedule(new HandMadeSettings { Guidance = 1, RemaskTemperature = 1 });
var record = new SampleRecord(images: 1, model.Codes, Steps);
sampler.Sample(new SampleRequest { Steps = Steps, Prompts = [0], Seed = 7 }, schedule, record);
Console.Write(model.Draw(record.Tokens));
