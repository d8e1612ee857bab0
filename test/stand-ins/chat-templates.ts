// Chat templates as models of several families bring them, each cut down to what decides how tools are told and called.

/** Qwen, Hermes: tags around JSON. */
export const TAGS = `{%- if tools %}
  {{- '<|im_start|>system\\n' }}
  {%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
  {{- 'Functions you may call:\\n<tools>' }}
  {%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}
  {{- '\\n</tools>\\nCall one as <tool_call>\\n{"name": <name>, "arguments": <input>}\\n</tool_call><|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
  {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
  {%- if message.role == 'user' or (message.role == 'assistant' and not message.tool_calls) %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
  {%- elif message.role == 'assistant' %}
    {{- '<|im_start|>assistant' }}
    {%- if message.content %}{{- '\\n' + message.content }}{%- endif %}
    {%- for tool_call in message.tool_calls %}
      {%- set call = tool_call.function %}
      {{- '\\n<tool_call>\\n{"name": "' + call.name + '", "arguments": ' }}{{- call.arguments | tojson }}{{- '}\\n</tool_call>' }}
    {%- endfor %}
    {{- '<|im_end|>\\n' }}
  {%- elif message.role == 'tool' %}
    {{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}
  {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}`;

/** Llama 3: the whole answer is the call's JSON, and there is one of them. */
export const BARE_JSON = `{{- bos_token }}
{%- if tools is not defined %}{%- set tools = none %}{%- endif %}
{%- if messages[0]['role'] == 'system' %}
  {%- set system_message = messages[0]['content'] | trim %}{%- set messages = messages[1:] %}
{%- else %}{%- set system_message = '' %}{%- endif %}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' + system_message + '<|eot_id|>' }}
{%- if tools is not none %}
  {%- set first_user_message = messages[0]['content'] | trim %}{%- set messages = messages[1:] %}
  {{- '<|start_header_id|>user<|end_header_id|>\\n\\nAnswer with JSON for a call of one of these functions:\\n\\n' }}
  {%- for t in tools %}{{- t | tojson(indent=4) }}{{- '\\n\\n' }}{%- endfor %}
  {{- first_user_message + '<|eot_id|>' }}
{%- endif %}
{%- for message in messages %}
  {%- if message.role == 'tool' or message.role == 'ipython' %}
    {{- '<|start_header_id|>ipython<|end_header_id|>\\n\\n' }}
    {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}{%- else %}{{- message.content }}{%- endif %}
    {{- '<|eot_id|>' }}
  {%- elif 'tool_calls' in message %}
    {%- if not message.tool_calls | length == 1 %}{{- raise_exception('one call at a time') }}{%- endif %}
    {%- set call = message.tool_calls[0].function %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n{"name": "' + call.name + '", "parameters": ' }}{{- call.arguments | tojson }}{{- '}<|eot_id|>' }}
  {%- else %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
  {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}`;

/** Mistral: a list behind a mark, ids of nine characters, turns that alternate. */
export const MISTRAL = `{{- bos_token }}
{%- set user_messages = messages | selectattr('role', 'equalto', 'user') | list %}
{%- for message in messages %}
  {%- if message['role'] == 'user' %}
    {%- if tools is defined and tools is not none and message == user_messages[-1] %}
      {{- '[AVAILABLE_TOOLS] [' }}
      {%- for tool in tools %}
        {%- set tool = tool.function %}
        {{- '{"type": "function", "function": {' }}
        {%- for key, val in tool.items() %}
          {%- if val is string %}{{- '"' + key + '": "' + val + '"' }}{%- else %}{{- '"' + key + '": ' + val | tojson }}{%- endif %}
          {%- if not loop.last %}{{- ', ' }}{%- endif %}
        {%- endfor %}
        {{- '}}' }}
        {%- if not loop.last %}{{- ', ' }}{%- else %}{{- ']' }}{%- endif %}
      {%- endfor %}
      {{- '[/AVAILABLE_TOOLS]' }}
    {%- endif %}
    {{- '[INST]' + message['content'] + '[/INST]' }}
  {%- elif message.tool_calls is defined %}
    {{- '[TOOL_CALLS] [' }}
    {%- for tool_call in message.tool_calls %}
      {%- set out = tool_call.function | tojson %}
      {%- if tool_call.id | length != 9 %}{{- raise_exception('ids have nine characters') }}{%- endif %}
      {{- out[:-1] }}{{- ', "id": "' + tool_call.id + '"}' }}
      {%- if not loop.last %}{{- ', ' }}{%- else %}{{- ']' + eos_token }}{%- endif %}
    {%- endfor %}
  {%- elif message['role'] == 'assistant' %}
    {{- message['content'] + eos_token }}
  {%- elif message['role'] == 'tool' %}
    {%- if message.tool_call_id | length != 9 %}{{- raise_exception('ids have nine characters') }}{%- endif %}
    {{- '[TOOL_RESULTS] {"content": ' + message.content | string + ', "call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
  {%- elif message['role'] != 'system' %}
    {{- raise_exception('unknown role') }}
  {%- endif %}
{%- endfor %}`;

/** Newer Mistral: name and input behind marks of their own, and inputs as text. */
export const MISTRAL_NAMED = `{%- for message in messages %}
  {%- if message['role'] == 'user' %}{{- '[INST]' + message['content'] + '[/INST]' }}
  {%- elif message['role'] == 'system' %}{{- '[SYSTEM_PROMPT]' + message['content'] + '[/SYSTEM_PROMPT]' }}
  {%- elif message['role'] == 'tool' %}{{- '[TOOL_RESULTS]' + message['content'] + '[/TOOL_RESULTS]' }}
  {%- elif message.tool_calls %}
    {%- for call in message.tool_calls %}
      {%- if not call.function.arguments is string %}{{- raise_exception('arguments are a text') }}{%- endif %}
      {{- '[TOOL_CALLS]' + call.function.name + '[ARGS]' + call.function.arguments }}
    {%- endfor %}
    {{- eos_token }}
  {%- else %}{{- message['content'] + eos_token }}{%- endif %}
{%- endfor %}
{%- if tools %}{{- '[AVAILABLE_TOOLS]' }}{{- tools | tojson }}{{- '[/AVAILABLE_TOOLS]' }}{%- endif %}`;

/** Phi: marks that are tokens, a test for whether there is such a word as `tools` at all, and a loop over calls of every message. */
export const MARKS = `{%- if tools is defined %}
  {{- '<|system|>' }}
  {%- for tool in tools %}{{- '<|tool|>' + (tool['function'] | tojson) + '<|/tool|>' }}{%- endfor %}
  {{- '<|end|>' }}
{%- endif %}
{%- for message in messages %}
  {%- if message['role'] == 'tool' %}
    {{- '<|tool_response|>' + (message['content'] | tojson) + '<|end|>' }}
  {%- else %}
    {{- '<|' + message['role'] + '|>' + message['content'] }}
    {%- for call in message.tool_calls %}{{- '<|tool_call|>' + (call['function'] | tojson) + '<|/tool_call|>' }}{%- endfor %}
    {{- '<|end|>' }}
  {%- endif %}
{%- endfor %}
{{- '<|assistant|>' }}`;

/** SmolLM3: tells of the tags, and leaves former calls to the text of the answer. */
export const TOLD_ONLY = `{%- if tools %}
  {{- '<|im_start|>system\\nTools:\\n' }}{%- for tool in tools %}{{- tool | tojson }}{%- endfor %}
  {{- 'Write a call within <tool_call></tool_call> tags.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
  {%- if message.role in ['user', 'assistant', 'system'] and message.content is string %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
  {%- endif %}
{%- endfor %}
{{- '<|im_start|>assistant\\n' }}`;

/** Tools, and the tag that others put around JSON, but calls in a way of its own. */
export const UNKNOWN_CALLS = `{%- if tools %}{{- '<tool_call>' }}{{- tools | tojson }}{%- endif %}
{%- for message in messages %}
  {{- '<start>' + message.role + '\\n' + message.content }}
  {%- if message.tool_calls %}{{- 'call:' + message.tool_calls[0].function.name + '(sample_value)' }}{%- endif %}
  {{- '<end>' }}
{%- endfor %}`;

/** DeepSeek: marks around the name and around the input. */
export const MARKED = `{%- if tools %}{{- tools | tojson }}{%- endif %}
{%- for message in messages %}
  {%- if message.role == 'assistant' %}
    {{- '<|Assistant|>' }}
    {%- if message.tool_calls %}
      {{- '<|calls|>' }}
      {%- for call in message.tool_calls %}{{- '<|call|>' + call.function.name + '<|sep|>' }}{{- call.function.arguments | tojson }}{{- '<|end|>' }}{%- endfor %}
      {{- '<|ends|>' }}
    {%- else %}{{- message.content }}{%- endif %}
    {{- eos_token }}
  {%- else %}{{- '<|' + message.role + '|>' + message.content }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|Assistant|>' }}{%- endif %}`;

/** No tools at all. */
export const PLAIN = `{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endfor %}`;
