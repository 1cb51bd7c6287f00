create or replace view energy as
select
    machine, configuration_id, configuration_name, label, model, runtime, quantization, bits, server, suite,
    figures.decode_j_per_token, figures.decode_j_per_token_low, figures.decode_j_per_token_high,
    figures.energy_interval_kind as interval_kind,
    tokens_per_kwh, tokens_per_kwh_low, tokens_per_kwh_high,
    figures.energy_run_count, energy_request_count,
    figures.prefill_j_per_token, figures.prefill_j_per_token_low, figures.prefill_j_per_token_high, prefill_energy_request_count,
    figures.decode_watts, rest_watts, 100 * gpu_busy_share as gpu_busy_percent, read_gb,
    figures.energy_kind, figures.energy_reason
from configuration_energy as figures
inner join (
    select machine, configuration_id, label, model, runtime, quantization, bits, server, suite from run_summary
) as known using (configuration_id)
inner join configuration_names using (configuration_id)
order by machine, figures.decode_j_per_token, label, configuration_id;

comment on view energy is 'One row per configuration: joules for each token, the least of a machine first, or why they are not known.';
comment on column energy.machine is 'Chip, GPU cores, memory.';
comment on column energy.configuration_id is 'The configuration.';
comment on column energy.configuration_name is 'Model and quantization; more where several configurations share these.';
comment on column energy.label is 'Model, quantization, engine.';
comment on column energy.model is 'The model.';
comment on column energy.runtime is 'Engine that ran the model.';
comment on column energy.quantization is 'Its quantization.';
comment on column energy.bits is 'Nominal bits per weight.';
comment on column energy.server is 'The program that answered.';
comment on column energy.suite is 'Prompt suite.';
comment on column energy.decode_j_per_token is 'Joules for each token generated, what flows at rest subtracted: of the rails in energy_kind, not of the wall.';
comment on column energy.decode_j_per_token_low is 'Lower end of its 95 % interval.';
comment on column energy.decode_j_per_token_high is 'Upper end of its 95 % interval.';
comment on column energy.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column energy.tokens_per_kwh is 'Tokens generated for each kWh of that.';
comment on column energy.tokens_per_kwh_low is 'Lower end of its 95 % interval.';
comment on column energy.tokens_per_kwh_high is 'Upper end of its 95 % interval.';
comment on column energy.energy_run_count is 'Runs behind it.';
comment on column energy.energy_request_count is 'Requests behind it.';
comment on column energy.prefill_j_per_token is 'Joules for each token of the prompt, likewise, over prompts of 512 tokens and more.';
comment on column energy.prefill_j_per_token_low is 'Lower end of its 95 % interval.';
comment on column energy.prefill_j_per_token_high is 'Upper end of its 95 % interval.';
comment on column energy.prefill_energy_request_count is 'Requests behind it.';
comment on column energy.decode_watts is 'What the same rails draw while decoding, W, rest included.';
comment on column energy.rest_watts is 'What they draw with the model loaded and nothing asked, W.';
comment on column energy.gpu_busy_percent is 'Share of the decode time in which the GPU worked, in percent.';
comment on column energy.read_gb is 'What the engine read from disk during all measured requests, GB: weights that had left memory.';
comment on column energy.energy_kind is 'The rails that the joules hold.';
comment on column energy.energy_reason is 'Why there are no joules, or what they lack.';
