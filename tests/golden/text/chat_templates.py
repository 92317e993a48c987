"""Chat templates with the structure of real ones, and small templates that try one thing each.

The texts are written for these tests; what is a family's own is the marks it puts and the Jinja it does that with.
"""

CHATML = """{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
"""

SMOLLM2 = """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
You are a small and helpful model<|im_end|>
' }}{% endif %}{{'<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}"""

LLAMA3 = """{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"""

LLAMA31 = """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}

{#- The first message may be the system's. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}

{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Knowledge ends: December 2023\\n" }}
{{- "Date: " + date_string + "\\n\\n" }}
{%- if tools is not none %}
    {{- "You may call these functions:\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}

{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model calls one tool at a time.") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

QWEN25 = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- else %}
        {{- 'You help.' }}
    {%- endif %}
    {{- "\\n\\n# Tools\\n\\nFunctions that you may call stand within <tools></tools>:\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n\\nTo call one, write\\n<tool_call>\\n{\\"name\\": <name>, \\"arguments\\": <json>}\\n</tool_call><|im_end|>\\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

QWEN3 = """{%- if messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {%- if loop.last or (not loop.last and reasoning_content) %}
                {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
            {%- else %}
                {{- '<|im_start|>' + message.role + '\\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}
                    {{- '\\n' }}
                {%- endif %}
                {{- '<tool_call>\\n' }}{{- tool_call.function.arguments | tojson }}{{- '\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {{- '<|im_start|>user\\n<tool_response>\\n' + content + '\\n</tool_response><|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""

ZEPHYR = """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\\n'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""

MISTRAL = """{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ ' [INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + ' ' + eos_token}}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"""

GEMMA = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\\n'}}
{%- endif -%}
"""

MARKED = """{%- macro header(role) %}<|im_start|>{{ role }}
{% endmacro -%}
{%- for message in messages %}
    {{- header(message.role) }}
    {%- if message.role == 'assistant' %}
        {%- generation %}
        {{- message.content + '<|im_end|>' }}
        {%- endgeneration %}
        {{- '\\n' }}
    {%- else %}
        {{- message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- header('assistant') }}
{%- endif %}
"""

TEMPLATES = {
    "chatml": CHATML, "smollm2": SMOLLM2, "llama3": LLAMA3, "llama31": LLAMA31, "qwen25": QWEN25, "qwen3": QWEN3,
    "zephyr": ZEPHYR, "mistral": MISTRAL, "gemma": GEMMA, "marked": MARKED,
}
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
ENDS = {
    "chatml": "<|im_end|>", "smollm2": "<|im_end|>", "llama3": "<|eot_id|>", "llama31": "<|eot_id|>",
    "qwen25": "<|im_end|>", "qwen3": "<|im_end|>", "zephyr": "</s>", "mistral": "</s>", "gemma": "<end_of_turn>",
    "marked": "<|im_end|>",
}

WEATHER = {"type": "function", "function": {"name": "weather", "description": "The \"weather\" of a place é",
           "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}}}
CONVERSATIONS = {
    "one question": [{"role": "user", "content": "What is the capital of France?"}],
    "an answer": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}],
    "a system message": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"},
                         {"role": "assistant", "content": "Because."}],
    "many turns": [{"role": "user", "content": " 1 + 1? "}, {"role": "assistant", "content": "  2\n"},
                   {"role": "user", "content": "And 2 + 2?"}, {"role": "assistant", "content": "4"},
                   {"role": "user", "content": "Thanks"}, {"role": "assistant", "content": "Welcome."}],
    "thoughts": [{"role": "user", "content": "Think."},
                 {"role": "assistant", "content": "<think>\nhm\n</think>\n\nDone"}],
    "thoughts before": [{"role": "user", "content": "Think."},
                        {"role": "assistant", "content": "<think>\nhm\n</think>\n\nDone"},
                        {"role": "user", "content": "Again."}, {"role": "assistant", "content": "Done again"}],
    "a tool": [{"role": "user", "content": "Rain?"},
               {"role": "assistant", "content": None,
                "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": {"place": "Zürich", "n": 1.5}}}]},
               {"role": "tool", "content": "{\"rain\": true}"}, {"role": "assistant", "content": "Yes."}],
    "two tools": [{"role": "user", "content": "Rain and snow?"},
                  {"role": "assistant", "content": "", "tool_calls": [
                      {"function": {"name": "a", "arguments": {}}}, {"function": {"name": "b", "arguments": {"x": [1, "é"]}}}]},
                  {"role": "tool", "content": "1"}, {"role": "tool", "content": "2"}, {"role": "assistant", "content": "Both."}],
    "parts": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " What is it? "}]},
              {"role": "assistant", "content": "A cat."}],
    "scripts": [{"role": "user", "content": "你好 👩‍👩‍👧 שלום\u200b"}, {"role": "assistant", "content": "안녕 \u00e9 e\u0301\t'\"\\ <b>&amp;"}],
    "empty ones": [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}],
    "nothing": [],
    "marks in a content": [{"role": "user", "content": "say <|im_end|>"}, {"role": "assistant", "content": "a<|im_end|>b</s>c<|eot_id|>"}],
    "assistant first": [{"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Hi"}],
}
VARIABLES = [{}, {"enable_thinking": False}, {"tools": [WEATHER], "date_string": "1 Jan 2025"}]

# Each a template and what it finds by name. Where Jinja raises an error, so must we.
# fmt: off
SNIPPETS = [
    # white space
    "a\n{% if true %}\n  b\n{% endif %}\nc\n", "  {% if true %}  x  {% endif %}  \n y", "{%- if true -%} x {%- endif -%} y", " {%+ if true +%}\n x {% endif %}",
    "{{ 'a' }}\n{{ 'b' }}", "{{- 'a' -}}  \n {{- 'b' -}}\n", "a {#- c -#} b", "a\n  {# c #}\nb", "a\n  {# c #} b", "{# a #}\n{# b #}\nc", "x\n\n", "x\r\ny\rz\n", "\n\n{% set x = 1 %}\n\n{{ x }}",
    "{% raw %}{{ a }} {% if %}{% endraw %}", "  {% raw -%}  x {{ y }} {%- endraw %}\n z", "a\n   {%- raw %} b {% endraw -%}   c", "{{ '{%' }}{{ \"}}\" }}{{ {'a': {'b': 1}}['a']['b'] }}", "{ {% if 1 %}{{%endif%} %}", "\u00a0{%- if 1 %}\u3000{%- endif %}\x1c",
    "{% for i in [1,2] %}\n  {{ i }}\n{% endfor %}\n", "{% if 1 %}\t\n\tx\n\t{% else %}\ny{% endif %}", "a{{ 1 }}\n  {%- set x = 2 +%}\n b",
    # literals and printing
    "{{ 1 }} {{ 1.0 }} {{ 1e3 }} {{ 1.5e-7 }} {{ 1e16 }} {{ 123456789012345.0 }} {{ 0.1 + 0.2 }} {{ -0.0 }}", "{{ true }} {{ True }} {{ none }} {{ None }} {{ false }}", "{{ 'a' 'b' \"c\" }}", "{{ 1_000 }} {{ 2.5 }}",
    r"{{ 'a\n\t\\\'\"\x41\u00e9\U0001F600\101\q' }}", "{{ [1, 'a', none, true, 1.5, [], {}] }}", "{{ {'a': 1, 'b': ['x', \"it's\"], 'c': {'d': none}} }}", "{{ (1, 2) }} {{ (1,) }} {{ () }} {{ 1, 2 }}", "{{ ['é', '\u200b', '\n', '\\\\', '\"', \"'\\\"\", '\U0001F600', '\x7f', '\x85', '\ue000'] }}",
    "{{ nothing }}|{{ nothing is defined }}", "{{ x.y }}", "{{ nothing.y }}", "{{ nothing.y.z }}", "{{ nothing + 'a' }}", "{{ 'a' + nothing }}", "{{ 'a' ~ nothing ~ 1 ~ none }}", "{{ nothing() }}", "{{ nothing['a'] }}", "{% for a in nothing %}x{% else %}none{% endfor %}", "{{ nothing == none }} {{ nothing == other }} {{ not nothing }} {{ nothing|length }}", "{{ nothing|default('d') }} {{ ''|default('d') }} {{ ''|default('d', true) }} {{ none|d('d') }} {{ 0|d('d', boolean=true) }}",
    # operators
    "{{ 1 + 2 * 3 - 4 }} {{ (1 + 2) * 3 }} {{ 7 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }}", "{{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 1 + 1.0 }} {{ 3 * 1.5 }} {{ true + 1 }} {{ 6 / 3 }}", "{{ 1 / 0 }}", "{{ 1 % 0 }}", "{{ 'ab' * 3 }} {{ 2 * [1] }} {{ [1] + [2] }} {{ 'a' * -1 }}|", "{{ 'a' + 1 }}", "{{ [1] + (2,) }}", "{{ none + 1 }}", "{{ 1 ~ 2 + 3 }}", "{{ 1 + 2 ~ 3 }}", "{{ 'a' ~ 1.0 ~ true }} {{ 'a' ~ 2 * 3 }}",
    "{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' < 'b' }} {{ 'é' > 'z' }} {{ [1, 2] < [1, 3] }} {{ 1 != 2 }} {{ 'a' == 1 }}", "{{ 1 < 'a' }}", "{{ none < 1 }}", "{{ {'a': 1, 'b': 2} == {'b': 2, 'a': 1} }} {{ [1] == (1,) }} {{ [1, [2]] == [1, [2]] }}",
    "{{ 'a' in 'abc' }} {{ 'a' in ['a'] }} {{ 'a' in {'a': 1} }} {{ 'd' not in 'abc' }} {{ 1 in [1.0] }} {{ 'x' in nothing }}", "{{ 1 in 'abc' }}", "{{ 'a' in none }}", "{{ 'a' in 5 }}", "{{ not true or true and false }} {{ 1 and 2 }} {{ 0 or 'x' }} {{ '' and 1 }}|{{ none or none }}", "{{ 'y' if 1 else 'n' }} {{ 'y' if 0 }}| {{ 'a' if 0 else 'b' if 0 else 'c' }}", "{{ -1 }} {{ +1 }} {{ - 2 ** 2 }} {{ -3|abs }} {{ -1.5 }} {{ --2 }}", "{{ -'a' }}", "{{ not 1 == 2 }} {{ not 1 in [2] }}",
    "{{ 'a' | upper + 'b' }} {{ ('a' + 'b') | upper }} {{ 'ab' | length + 1 }} {{ 1 + 'ab'|length * 2 }}", "{{ 9223372036854775807 }}", "{{ 'x' if nothing is not defined and not nothing else 'y' }}",
    # names, attributes, items, slices
    "{% set d = {'a': {'b': [10, 20]}, 'c d': 1, 'items': 5} %}{{ d.a.b[1] }} {{ d['a']['b'][-1] }} {{ d['c d'] }} {{ d.z }}| {{ d['z'] }}| {{ d.a.b[5] }}| {{ d.a.b.0 }} {{ d['items'] }}", "{{ 'hello'[0] }}{{ 'hello'[-1] }}{{ 'héé'[1] }} {{ 'hello'[9] }}|", "{{ [1,2,3,4,5][1:3] }} {{ [1,2,3][::-1] }} {{ [1,2,3,4][::2] }} {{ [1,2,3][-2:] }} {{ [1,2,3][:-1] }} {{ [1,2,3][5:] }} {{ (1,2,3)[1:] }} {{ [1,2,3,4][3:0:-2] }}", "{{ 'héllo'[1:3] }} {{ 'abc'[::-1] }} {{ 'abc'[:2] }} {{ 'abc'[-2:] }} {{ 'abc'[10:] }}|", "{{ [1][::0] }}", "{{ {'a': 1}[1:] }}", "{{ 5[0] }}|{{ none.x }}|{{ true.y }}|{{ 'a'.b }}|", "{{ [1,2]['a'] }}|",
    "{% set x = 1 %}{% set x = x + 1 %}{{ x }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set a, b = b, a %}{{ a }}{{ b }}", "{% set a, b = [1] %}", "{% set (a, b) = (1, 2) %}{{ a ~ b }}", "{% set a = 1, 2 %}{{ a }}", "{% set x %}a {{ 1 + 1 }} b{% endset %}[{{ x }}]", "{% set ns = namespace(a=1, b='x') %}{% for i in [1,2,3] %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c }}|", "{% set ns = namespace({'a': 2}, b=3) %}{{ ns.a ~ ns.b }}", "{% set x = 5 %}{% set x.a = 1 %}", "{% set y.a = 1 %}", "{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{{ x }}{% endfor %}{{ x }}", "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}", "{% for i in [1,2] %}{% if i == 1 %}{% set y = 'a' %}{% endif %}{{ y }}|{% endfor %}",
    # for
    "{% for i in [1,2,3] %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}", "{% for i in [1,2,3] %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }} {% endfor %}", "{% for i in [1,2,3,4] if i % 2 == 0 %}{{ i }}:{{ loop.index }}/{{ loop.length }} {% else %}e{% endfor %}", "{% for i in [] %}x{% else %}empty{% endfor %}", "{% for i in [1] if i > 1 %}x{% else %}empty{% endfor %}", "{% for a, b in [[1, 2], [3, 4]] %}{{ a + b }} {% endfor %}", "{% for k, v in {'x': 1, 'y': 2}.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in {'x': 1, 'y': 2} %}{{ k }}{% endfor %}", "{% for c in 'héy' %}{{ c }}-{% endfor %}", "{% for i in range(3) %}{{ i }}{% endfor %} {{ range(2, 8, 3)|list }} {{ range(5, 0, -2)|list }} {{ range(0)|list }}", "{% for i in [1,2,3,4] %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}", "{% for i in [1,2] %}{% for j in [1,2] %}{{ loop.index }}{% if j == 1 %}{% continue %}{% endif %}x{% endfor %}{{ loop.index }} {% endfor %}", "{% for i in 5 %}{% endfor %}", "{% for i in none %}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% for i in [1,2,3] %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for i in [1,1,2] %}{{ loop.changed(i) }} {% endfor %}", "{% for i in 1, 2 %}{{ i }}{% endfor %}", "{% for i in ([1] if false else [2]) %}{{ i }}{% endfor %}", "{{ loop }}", "{% for i in [3] %}{% set l = loop %}{% for j in [1,2] %}{{ l.index }}{% endfor %}{% endfor %}",
    # macros
    "{% macro m(a, b='x', c=none) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, 2) }} {{ m(1, c=3) }} {{ m(b=2, a=1) }} {{ m() }}", "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(z=2) }}", "{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}", "{% macro f(n) %}{% if n > 0 %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}", "{% macro m() %}\n  a\n{% endmacro %}[{{ m() }}] {{ m()|trim }} {{ m() ~ 'b' }}", "{% macro a() %}<{{ b() }}>{% endmacro %}{% macro b() %}y{% endmacro %}{{ a() }}",
    # filters
    "{{ '  a b  '|trim }}| {{ 'xxaxx'|trim('x') }} {{ 5|trim }}", "{{ 'aBc dE'|upper }} {{ 'aBc dE'|lower }} {{ 'aBc dE'|capitalize }} {{ \"aBc dE-fg (hi) it's\"|title }} {{ 'élan'|capitalize }} {{ 'ΑΒΓ'|lower }}", "{{ [1,2,3]|length }} {{ 'héé'|length }} {{ {'a':1}|count }}", "{{ 5|length }}", "{{ none|length }}", "{{ [1,2]|first }} {{ 'abc'|last }} {{ []|first }}| {{ []|last }}|", "{{ [1,'a',none]|join(', ') }} {{ 'abc'|join('-') }} {{ [1,2]|join }} {{ [{'n': 1}, {'n': 2}]|join('+', attribute='n') }}", "{{ 'aXbX'|replace('X', 'yy') }} {{ 'aaa'|replace('a', 'b', 2) }} {{ 'ab'|replace('', '-') }} {{ 15|replace(1, 2) }}", "{{ 'abc'|list }} {{ {'a': 1}|list }} {{ (1,2)|list }}", "{{ 5|string + '1' }} {{ none|string }} {{ [1]|string }}", "{{ '42'|int + 1 }} {{ ' 4 '|int }} {{ '3.9'|int }} {{ 'x'|int }} {{ 'x'|int(7) }} {{ 3.9|int }} {{ true|int }} {{ none|int }} {{ '-5'|int }}", "{{ '1.5'|float }} {{ 'x'|float }} {{ 3|float }} {{ '1e3'|float }} {{ 'x'|float(2.5) }}", "{{ {'b': 1, 'a': 2}|items|list }} {{ nothing|items|list }}", "{{ [1]|items|list }}", "{{ [1,2,3]|reverse|list }} {{ 'abc'|reverse }}", "{{ -5|abs }} {{ 2.5|abs }}", "{{ 'a\nb\n\nc'|indent }}|{{ 'a\nb'|indent(2, true) }}|{{ 'a\n\nb'|indent(1, blank=true) }}|{{ 'a\nb'|indent('>>') }}", "{{ '<b>'|safe }}",
    "{{ [{'r': 'u', 'c': 1}, {'r': 'a', 'c': 2}, {'r': 'u', 'c': 3}]|selectattr('r', 'equalto', 'u')|map(attribute='c')|list }}", "{{ [{'r': 'u', 'c': 1}, {'r': 'a'}]|rejectattr('c')|list }} {{ [{'c': 0}, {'c': 1}]|selectattr('c')|list }}", "{{ [1,2,3,4]|select('odd')|list }} {{ [1,2,3,4]|reject('divisibleby', 2)|list }} {{ [0,1,'']|select|list }}", "{{ ['a','b']|map('upper')|list }} {{ [{'a': 1}, {}]|map(attribute='a', default=9)|list }} {{ ['1','2']|map('int')|sum }} {{ ['ax','bx']|map('replace', 'x', 'y')|join }}", "{{ [{'a': {'b': 1}}, {'a': {'b': 2}}]|map(attribute='a.b')|list }} {{ [[1,2],[3,4]]|map(attribute=1)|list }}", "{{ [3,1,2]|sort }} {{ ['b','A','c']|sort }} {{ ['b','A','c']|sort(case_sensitive=true) }} {{ [3,1,2]|sort(reverse=true) }} {{ [{'n': 2}, {'n': 1}]|sort(attribute='n') }}", "{{ [1, 'a']|sort }}", "{{ [1,2,1,'a','A']|unique|list }} {{ ['a','A']|unique(case_sensitive=true)|list }}", "{{ {'b': 1, 'A': 2, 'c': 0}|dictsort }} {{ {'b': 1, 'a': 2}|dictsort(by='value') }} {{ {'a': 1, 'b': 2}|dictsort(reverse=true) }}", "{{ [1,2,3]|sum }} {{ [{'a': 1}, {'a': 5}]|sum(attribute='a') }} {{ [1]|sum(start=10) }}", "{{ [3,1,2]|min }} {{ [3,1,2]|max }} {{ ['b','A']|min }} {{ []|max }}|", "{{ 'a'|nofilter }}", "{{ [1]|map('nofilter')|list }}", "{{ 'a'|upper(1) }}", "{{ 'a'|replace('a') }}",
    "{{ {'b': 1, 'a': [1.0, true, none, 'é\"\\\\\n\u2028<&>']}|tojson }}", "{{ {'a': [1, {'b': []}], 'c': {}}|tojson(indent=2) }}", "{{ [1, 2]|tojson(indent=0) }} {{ {'a': 1}|tojson(separators=(',', ':')) }} {{ {'b': 1, 'a': 2}|tojson(sort_keys=true) }} {{ 'é😀\x7f'|tojson(ensure_ascii=true) }} {{ [1,2]|tojson(indent='--') }}", "{{ nothing|tojson }}", "{{ 1e100|tojson }} {{ 0.1|tojson }} {{ 5|tojson }} {{ 'x'|tojson }} {{ none|tojson }} {{ '\x00\x1f\t'|tojson }}",
    # tests
    "{{ 1 is number }} {{ 1.5 is float }} {{ 1 is integer }} {{ true is integer }} {{ true is number }} {{ true is boolean }} {{ 'a' is string }} {{ none is none }} {{ {} is mapping }} {{ [] is sequence }} {{ 'a' is sequence }} {{ {} is sequence }} {{ 1 is iterable }} {{ 'a' is iterable }} {{ nothing is iterable }} {{ [] is mapping }}", "{{ 3 is odd }} {{ 4 is even }} {{ 6 is divisibleby 3 }} {{ 6 is divisibleby(4) }} {{ 1 is eq 1 }} {{ 1 is equalto(2) }} {{ 1 is ne 2 }} {{ 1 is lt 2 }} {{ 2 is ge 2 }} {{ 1 is in [1] }} {{ 1 is sameas 1 }} {{ true is sameas true }} {{ 1 is not in [1] }} {{ 2 is gt(1) }} {{ 1 is le 0 }}", "{{ true is true }} {{ 1 is true }} {{ false is false }} {{ 'AB' is upper }} {{ 'ab' is lower }} {{ 'aB' is lower }} {{ '1' is upper }} {{ range is callable }} {{ 1 is callable }}", "{{ 1 is notest }}", "{{ 'a' is odd }}", "{{ x is defined }} {{ x is undefined }} {{ x is not defined }} {{ x is defined and x.y }}|{{ 'yes' if x is defined else 'no' }}", "{{ 1 is divisibleby 0 }}",
    # methods
    "{{ ' a '.strip() }}|{{ ' a '.lstrip() }}|{{ ' a '.rstrip() }}|{{ 'xyaxy'.strip('yx') }}|{{ '\u3000a\x1f'.strip() }}|{{ 'éaé'.strip('é') }}", "{{ 'a,b,c'.split(',') }} {{ ' a  b '.split() }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a b c'.split(none, 1) }} {{ ' a b c '.rsplit(none, 1) }} {{ 'aXXbXXc'.split('XX')[-1] }} {{ ',a,'.split(',') }} {{ 'a b  '.split(none, 5) }} {{ ' a b c  '.split(none, 1) }} {{ ' a b c '.rsplit() }}", "{{ 'abc'.split('') }}", "{{ 'abc'.startswith('ab') }} {{ 'abc'.endswith('bc') }} {{ 'abc'.startswith(('x', 'a')) }} {{ 'abc'.endswith('') }}", "{{ 'aXb'.replace('X', '-') }} {{ 'aaa'.replace('a', 'b', 1) }} {{ 'ab'.replace('', '.', 2) }}", "{{ 'aBc'.upper() }}{{ 'aBc'.lower() }}{{ \"they're bill's\".title() }}{{ 'aBC d'.capitalize() }}", "{{ 'héllo'.find('l') }} {{ 'abc'.find('z') }} {{ 'abab'.rfind('b') }} {{ 'aaaa'.count('aa') }} {{ 'éé'.count('') }}", "{{ ', '.join(['a', 'b']) }} {{ '-'.join('abc') }} {{ ''.join([]) }}|{{ 'x'.join(['', '']) }}", "{{ ', '.join([1]) }}", "{{ '12'.isdigit() }} {{ 'a1'.isdigit() }} {{ 'ab'.isalpha() }} {{ 'a1'.isalnum() }} {{ ' '.isspace() }} {{ ''.isdigit() }}", "{{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.txt'.removesuffix('.txt') }} {{ 'x'.removeprefix('y') }}",
    "{% set d = {'a': 1, 'b': none} %}{{ d.get('a') }} {{ d.get('z') }} {{ d.get('z', 5) }} {{ d.get('b', 5) }} {{ d.keys()|list }} {{ d.values()|list }} {{ d.items()|list }} {{ d.copy() }}", "{{ [1,2,1].index(2) }} {{ [1,2,1].count(1) }}", "{{ [1].index(5) }}", "{{ [].append(1) }}", "{% set l = [] %}{{ l.append(1) }}", "{{ {}.update({'a': 1}) }}", "{{ 'a'.nomethod() }}", "{{ 5.real() }}", "{{ 'a'.upper(1) }}", "{{ none.x() }}", "{{ [].nomethod() }}", "{{ ''.__class__ }}",
    # functions, errors
    "{{ dict(a=1, b='x') }} {{ dict({'a': 1}, c=2) }}", "{{ raise_exception('no') }}", "{{ range(1000000) }}", "{{ namespace }}x"[:0] + "{{ range(3)|join(',') }}", "{% if %}{% endif %}", "{% if 1 %}", "{% endif %}", "{% for %}{% endfor %}", "{{ }}", "{{ 1 + }}", "{{ (1 }}", "{{ 'a }}", "{{ a b }}", "{% unknown %}", "{# open", "{% raw %} open", "{{ 1 $ 2 }}", "{{ a. }}", "{{ a[ }}", "{{ f(a=1, 2) }}", "{% set 1 = 2 %}", "{% macro m(a=1, b) %}{% endmacro %}", "{% else %}", "{% break %}", "{{ [1, 2 }}", "{{ {'a' 1} }}", "{{ {'a': 1, 'a': 2} }}", "{{ [1,] }} {{ {'a': 1,} }}",
    "{% generation %}a{% endgeneration %}b{% generation %}{% endgeneration %}", "{% for m in [1,2] %}u{% generation %}é{{ m }}{% endgeneration %}{% endfor %}", "{% set x = 1 %}{% generation %}{% set x = 2 %}{{ x }}{% endgeneration %}{{ x }}",
]
# fmt: on
SNIPPETS = list(dict.fromkeys(SNIPPETS))
