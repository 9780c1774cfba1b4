#!/usr/bin/env python3
"""Writes cases.json: small Jinja templates, and what jinja2 makes of them with the options that
transformers uses. tests/unit/jinja_test.cc holds our part of Jinja against it.
  tests/jinja/make_cases.py            rewrites it (needs Debian's python3-jinja2)
  tests/jinja/make_cases.py --check    fails if jinja2 says something else; 77 without jinja2
"""
import json
import pathlib
import sys

kFile = pathlib.Path(__file__).parent / "cases.json"

kTalk = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": " Hi there "},
         {"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "Bye"}]
kVariables = {"messages": kTalk, "bos_token": "<s>", "eos_token": "</s>", "tools": None,
              "add_generation_prompt": True, "n": 7, "word": "Scratch", "empty": [],
              "numbers": [3, 1, 2], "person": {"name": "Ada", "age": 36}}

kTemplates = """
plain text
{{ word }} and {{ word | upper }}, {{ word.lower() }}
{{ n + 2 * 3 - 1 }} {{ n // 2 }} {{ n % 4 }} {{ -n // 2 }} {{ -n % 4 }} {{ (n + 1) * 2 }}
{{ 'a' ~ n ~ "b" }}{{ 'x' + 'y' }}
{{ true }} {{ False }} {{ none }} {{ missing }}|
{{ n > 3 and n < 10 }} {{ n == 7 or missing.attribute }} {{ not n }} {{ not n == 8 }}
{{ 'cat' in 'concatenate' }} {{ 3 in numbers }} {{ 4 not in numbers }} {{ 'name' in person }}
{{ 'yes' if n is odd else 'no' }}{{ 'shown' if n is even }}|
{{ person.name }} {{ person['age'] }} {{ person.missing is defined }} {{ person.get('x', 'y') }}
{{ numbers[0] }} {{ numbers[-1] }} {{ numbers[5] is undefined }} {{ numbers | length }}
{{ numbers[1:] | join(', ') }} {{ numbers[:2] | join('') }} {{ numbers[::-1] | join('-') }}
{{ word[1:4] }} {{ word[:-2] }} {{ word[0] }} {{ word[-1] }} {{ word[::-1] }}
{{ '  both  '.strip() }}|{{ '  left'.lstrip() }}|{{ 'right  ' | trim }}|{{ 'xxaxx'.strip('x') }}|
{{ 'a,b,,c'.split(',') | join('+') }} {{ ' a  b '.split() | join('+') }} {{ 'a</t>b'.split('</t>')[-1] }}
{{ word.startswith('Scr') }} {{ word.endswith('x') }} {{ word.replace('c', 'k') }}
{{ word | replace('c', 'k') | capitalize }} {{ 'user' | title }} {{ 'user'.title() }}
{{ missing | default('d') }} {{ '' | default('d') }}| {{ '' | default('d', true) }} {{ n | string }}
{{ empty | length }} {{ empty is defined }} {{ 'e' if empty else 'f' }} {{ numbers | first }} {{ numbers | last }}
{{ none is none }} {{ n is number }} {{ word is string }} {{ person is mapping }} {{ numbers is iterable }} {{ n is not none }}
{{ 'a' is in ['a', 'b'] }} {{ n is equalto 7 }} {{ n is eq 8 }} {{ true is true }} {{ 1 is boolean }}
{% for m in messages %}{{ m.role }}:{{ m['content'] | trim }};{% endfor %}
{% for m in messages if m.role != 'system' %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }} {% endfor %}
{% for m in messages %}{{ loop.length }}{{ loop.revindex }}{% if not loop.last %}{{ loop.nextitem.role }}{% endif %} {% endfor %}
{% for x in empty %}never{% else %}nothing{% endfor %}
{% for a, b in [['x', 1], ['y', 2]] %}{{ a }}={{ b }} {% endfor %}
{% for i in range(3) %}{{ i }}{% for j in range(1, 3) %}.{{ j }}{% endfor %} {% endfor %}
{% set x = 1 %}{% for i in range(3) %}{% set x = i %}{% endfor %}{{ x }}
{% set ns = namespace(found=false, n=0) %}{% for i in range(3) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}{{ ns.found }}
{% if n == 1 %}one{% elif n == 7 %}seven{% else %}other{% endif %}
{% if missing %}a{% elif tools %}b{% else %}c{% endif %}
{% if tools is not none and tools | length > 0 %}tools{% endif %}|
{%- set system = messages[0]['content'] if messages[0].role == 'system' else '' -%} {{ system }}
{{- '  tight  ' -}}   x   {{- word -}}   y
a {#- a comment -#} b {# another #} c
{% set list = ['a'] + ['b', 'c'] %}{{ list | join }}{% set d = {'k': [1, 2]} %}{{ d.k[1] }}{{ d['none'] is defined }}
{{ messages | selectattr('role', 'equalto', 'user') | list | length }} {{ (messages | rejectattr('role', 'equalto', 'user') | first).content }}
{{ 'line\\nfeed' }} {{ "tab\\t" }} {{ 'quo\\'te' }} {{ '\\u00e9\\x41' }}
{{ messages[1:][0].role }} {{ messages[-1]['content'] }} {{ (messages | last).role }}
{{ '%s' }} {{ '{{' }} {{ "}}" }} {{ {'a': {'b': 1}}['a']['b'] }}
{% generation %}marked{% endgeneration %}
{{ n if n > 10 else n * 2 if n > 5 else 0 }}
{{ 'é'|length }} {{ 'x' * 0 if false else 'ok' }}
{{ raise_exception('no ' + 'way') }}
{{ 1.5 < 2 }} {{ 2 <= 2.0 }} {{ 'a' < 'b' }}
{{ '' or 'b' }} {{ 'a' and 'b' }} {{ none or missing or 'c' }} {{ 0 or numbers | length }}
"""

# Whole templates, whose line feeds and spaces count.
kWhole = [
    "{% for m in messages %}\n  {% if m.role == 'user' %}\n    U: {{ m.content }}\n  {% endif %}\n{% endfor %}\nend\n",
    "a\n  {%- if true %}\n  b\n  {%- endif %}\n c\n",
    "a\n  {%+ if true %}b{% endif %}\n  c",
    "  {% set x = 3 %}  {{ x }}\n\n{# note #}\n  {{ x }}  \n",
    "x {% if true %} y {% endif %} z\n {% if true %}\n\n w{% endif %}",
    "{{ bos_token }}{% for m in messages %}{{ '<|' + m['role'] + '|>\\n' + m['content'] + eos_token }}\n"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}",
]


def jinja_environment():
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(__import__("jinja2.ext", fromlist=["Extension"]).Extension):
        tags = {"generation"}

        def parse(self, parser):
            next(parser.stream)
            return parser.parse_statements(["name:endgeneration"], drop_needle=True)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                                extensions=[Generation])

    def raise_exception(text):
        raise RuntimeError("the template says: " + text)

    environment.globals["raise_exception"] = raise_exception
    return environment


def expected(environment, template):
    try:
        return {"text": environment.from_string(template).render(**kVariables)}
    except Exception as error:  # what it says is jinja2's own wording, ours but for raise_exception
        text = str(error)
        return {"error": text if text.startswith("the template says") else ""}


def cases():
    environment = jinja_environment()
    templates = [line.replace("\\\\", "\\") for line in kTemplates.strip().split("\n")] + kWhole
    return {"variables": kVariables,
            "cases": [{"template": one, **expected(environment, one)} for one in templates]}


def main():
    try:
        made = json.dumps(cases(), indent=1, ensure_ascii=False) + "\n"
    except ImportError:
        print("skipped: no jinja2 here (Debian: python3-jinja2)")
        return 77
    if "--check" not in sys.argv:
        kFile.write_text(made)
        return 0
    if made == kFile.read_text():
        print("jinja2 agrees")
        return 0
    print(f"{kFile} is not what jinja2 says; make_cases.py writes it anew")
    return 1


sys.exit(main())
