// Chat templates of models that think, each cut down to what decides how: marks around thoughts, a thought that the prompt
// itself opens, channels, and the words by which thinking is left out.
import { FAMILY_TEMPLATES } from './family-templates.js';

/** DeepSeek R1 and its distillations: the prompt opens the thought; there is no way to leave it out. */
const DEEPSEEK_R1 = `{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(system='') %}{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system = message['content'] %}{%- endif %}{%- endfor %}{{ bos_token }}{{ ns.system }}{%- for message in messages %}{%- if message['role'] == 'user' %}{{ '<｜User｜>' + message['content'] }}{%- endif %}{%- if message['role'] == 'assistant' and message['content'] is not none %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{ '<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>' }}{%- endif %}{%- endfor %}{% if add_generation_prompt %}{{ '<｜Assistant｜><think>\\n' }}{% endif %}`;

/** Qwen 3 of 2507, thinking: the same in Qwen's form. */
const QWEN_3_THINKING = `{%- for message in messages %}
  {%- if message.role == 'assistant' %}
    {%- set content = message.content %}
    {%- if '</think>' in content %}{%- set content = content.split('</think>')[-1].lstrip('\\n') %}{%- endif %}
    {{- '<|im_start|>assistant\\n' + content + '<|im_end|>\\n' }}
  {%- else %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}{%- endif %}`;

/** DeepSeek V3.1: thinks when it is told to, and the prompt says either way. */
const DEEPSEEK_V3_1 = `{% if not thinking is defined %}{% set thinking = false %}{% endif %}{{ bos_token }}{%- for message in messages %}{%- if message['role'] == 'user' %}{{ '<｜User｜>' + message['content'] }}{%- elif message['role'] == 'assistant' %}{{ '<｜Assistant｜></think>' + message['content'] + '<｜end▁of▁sentence｜>' }}{%- else %}{{ message['content'] }}{%- endif %}{%- endfor %}{%- if add_generation_prompt %}{{ '<｜Assistant｜>' }}{%- if not thinking %}{{ '</think>' }}{%- else %}{{ '<think>' }}{%- endif %}{% endif %}`;

/** Magistral: marks that are tokens of their own and leave no trace in the text. */
const MAGISTRAL = `{{- bos_token }}
{%- for message in messages %}
  {%- if message.role == 'system' %}{{- '[SYSTEM_PROMPT]' + message.content + '[/SYSTEM_PROMPT]' }}
  {%- elif message.role == 'user' %}{{- '[INST]' + message.content + '[/INST]' }}
  {%- elif message.role == 'assistant' %}
    {%- if message.reasoning_content %}{{- '[THINK]' + message.reasoning_content + '[/THINK]' }}{%- endif %}
    {{- message.content + eos_token }}
  {%- endif %}
{%- endfor %}`;

/** Seed-OSS: a budget of thoughts, 0 for none. */
const SEED_OSS = `{%- for message in messages %}{{- bos_token + message.role + '\\n' + message.content + eos_token }}{%- endfor %}
{%- if thinking_budget is defined and thinking_budget == 0 %}{{- bos_token + 'system\\nNo thinking.' + eos_token }}{%- endif %}
{%- if add_generation_prompt %}{{- bos_token + 'assistant\\n' }}
  {%- if thinking_budget is defined and thinking_budget == 0 %}{{- '<seed:think><seed:cot_budget_reflect>None left.</seed:cot_budget_reflect></seed:think>' }}{%- endif %}
{%- endif %}`;

/** gpt-oss: thoughts, remarks and the answer are channels, tools belong to one of them, and effort is a word of the system's. */
const GPT_OSS = `{%- if reasoning_effort is not defined %}{%- set reasoning_effort = "medium" %}{%- endif %}
{{- "<|start|>system<|message|>You are ChatGPT.\\nReasoning: " + reasoning_effort + "\\n# Valid channels: analysis, commentary, final.<|end|>" }}
{%- set ns = namespace(called=none) %}
{%- if messages[0].role == 'system' %}{%- set told = messages[0].content %}{%- set messages = messages[1:] %}{%- else %}{%- set told = '' %}{%- endif %}
{%- if told or tools %}
  {{- "<|start|>developer<|message|>" }}
  {%- if told %}{{- "# Instructions\\n\\n" + told + "\\n\\n" }}{%- endif %}
  {%- if tools %}{{- "# Tools\\n\\nnamespace functions {\\n" }}{%- for tool in tools %}{{- "// " + tool.function.description + "\\ntype " + tool.function.name + " = (_: " + tool.function.parameters | tojson + ") => any;\\n" }}{%- endfor %}{{- "}" }}{%- endif %}
  {{- "<|end|>" }}
{%- endif %}
{%- for message in messages %}
  {%- if message.role == 'assistant' %}
    {%- if "<|channel|>analysis<|message|>" in message.content %}{{- raise_exception("thoughts belong elsewhere") }}{%- endif %}
    {%- if "tool_calls" in message %}
      {%- if message.content and message.thinking %}{{- raise_exception("not both with a call") }}{%- endif %}
      {%- if message.content %}{{- "<|start|>assistant<|channel|>analysis<|message|>" + message.content + "<|end|>" }}
      {%- elif message.thinking %}{{- "<|start|>assistant<|channel|>analysis<|message|>" + message.thinking + "<|end|>" }}{%- endif %}
      {%- set call = message.tool_calls[0].function %}
      {{- "<|start|>assistant to=functions." + call.name + "<|channel|>commentary json<|message|>" + call.arguments | tojson + "<|call|>" }}
      {%- set ns.called = call.name %}
    {%- else %}{{- "<|start|>assistant<|channel|>final<|message|>" + message.content + "<|end|>" }}{%- endif %}
  {%- elif message.role == 'tool' %}
    {%- if ns.called is none %}{{- raise_exception("a result without a call") }}{%- endif %}
    {{- "<|start|>functions." + ns.called + " to=assistant<|channel|>commentary<|message|>" + message.content | tojson + "<|end|>" }}
  {%- else %}{{- "<|start|>user<|message|>" + message.content + "<|end|>" }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- "<|start|>assistant" }}{%- endif %}`;

export const THINKING_TEMPLATES = {
  QWEN_3: FAMILY_TEMPLATES.QWEN_3,
  QWEN_3_THINKING,
  DEEPSEEK_R1,
  DEEPSEEK_V3_1,
  MAGISTRAL,
  SEED_OSS,
  GPT_OSS,
};
