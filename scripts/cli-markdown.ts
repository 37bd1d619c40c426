/** docs/cli.md, rendered from the commander commands that `tally` itself runs. */
import type {Command, Option} from 'commander'
import {addContainerOptions} from '../src/cli/container-options.ts'
import {exitCodes} from '../src/cli/exit-codes.ts'
import {createProgram} from '../src/cli/program.ts'
import {verbs} from '../src/cli/verbs.ts'
import {verbNotes} from './cli-notes.ts'

const nodeHeading = 'Node options:'

export async function renderCliMarkdown(): Promise<string> {
  const program = createProgram()
  for (const load of Object.values(verbs)) (await load())(program)
  const container = new Set(addContainerOptions(createProgram().command('container')).options.map(({flags}) => flags))
  const run = program.commands.find((command) => command.name() === 'run')
  return [
    '# The command line',
    'This file is written by `npm run docs:cli` from the commands themselves. `tally VERB --help` shows the same.',
    renderIndex(program.commands),
    '## Node options',
    'Which node a command speaks to, and how. Every verb takes these options, before or after its name; a flag has precedence over the variable. Two nodes can run on one machine when each has its own `--state-dir` and `--run-dir`. [tls.md](tls.md) describes the options for NATS.',
    renderOptions(program.options.filter(isOfNode), {variables: true}),
    '## Exit status',
    renderExitStatuses(),
    '## Container options',
    '`run` and `create` take these options. With `--bundle` only those are allowed that do not describe what the bundle already says. Sizes are bytes, or have a suffix such as `k`, `m` or `g`; [times.md](times.md) describes durations.',
    run ? renderOptions(run.options.filter(({flags}) => container.has(flags))) : '',
    ...program.commands.flatMap((command) => renderVerb(command, container)),
  ]
    .join('\n\n')
    .concat('\n')
}

function renderIndex(commands: readonly Command[]): string {
  const rows = commands.map((command) => [`[\`${command.name()}\`](#tally-${command.name()})`, toSentence(command.summary())])
  return renderTable(['verb', 'what it does'], rows)
}

function renderVerb(command: Command, container: ReadonlySet<string>): readonly string[] {
  const name = command.name()
  const options = command.options.filter((option) => !isOfNode(option) && !option.hidden)
  const own = options.filter(({flags}) => !container.has(flags) || !takesContainerOptions(name))
  return [
    `## tally ${name}`,
    `\`\`\`text\ntally ${name} ${command.usage()}\n\`\`\``,
    toSentence(command.description()),
    ...(verbNotes[name] ? [verbNotes[name]] : []),
    ...(command.registeredArguments.some(({description}) => description)
      ? [
          renderTable(
            ['argument', 'meaning'],
            command.registeredArguments
              .filter(({description}) => description)
              .map((argument) => [`\`${argument.name()}\``, toSentence(argument.description)]),
          ),
        ]
      : []),
    ...(own.length > 0 ? [renderOptions(own)] : []),
    ...(takesContainerOptions(name) ? ['And the [container options](#container-options).'] : []),
    ...command.commands.flatMap((one) => renderSubcommand(name, one)),
  ]
}

function renderSubcommand(verb: string, command: Command): readonly string[] {
  const options = command.options.filter((option) => !isOfNode(option) && !option.hidden)
  return [
    `### tally ${verb} ${command.name()}`,
    `\`\`\`text\ntally ${verb} ${command.name()} ${command.usage()}\n\`\`\``,
    toSentence(command.description()),
    ...(options.length > 0 ? [renderOptions(options)] : []),
  ]
}

function takesContainerOptions(name: string): boolean {
  return name === 'run' || name === 'create'
}

function isOfNode({helpGroupHeading}: Option): boolean {
  return helpGroupHeading === nodeHeading
}

function renderOptions(options: readonly Option[], {variables = false} = {}): string {
  const rows = options.map((option) => {
    const [, meaning = '', inText, variable] = /^(.*?)(?: \(default: (.*)\))?(?: \[env: (\w+)\])?$/s.exec(option.description) ?? []
    const byDefault = inText ?? (typeof option.defaultValue === 'string' ? option.defaultValue : '')
    const choices = option.argChoices ? ` One of ${option.argChoices.map((choice) => `\`${choice}\``).join(', ')}.` : ''
    return [`\`${option.flags}\``, ...(variables ? [variable ? `\`${variable}\`` : ''] : []), byDefault, `${toSentence(meaning)}${choices}`]
  })
  return renderTable(['option', ...(variables ? ['variable'] : []), 'default', 'meaning'], rows)
}

function renderExitStatuses(): string {
  const {ok, failed, usage, runFailed, commandNotExecutable, commandNotFound} = exitCodes
  return renderTable(
    ['exit status', 'meaning'],
    [
      [`${ok}`, 'Success.'],
      [
        `${failed}`,
        'The command was refused or has failed. The message on stderr ends with the [code](errors.md) of the error. What has been made and whose id cannot be printed is removed.',
      ],
      [`${usage}`, 'Usage error.'],
      ['that of the process', '`run`, `exec` and `attach` in the foreground: the exit status, or 128 + n when signal n ended the process.'],
      [
        '128 + n',
        '`run`, `exec`, `create`, `restore` and `up -d`: signal n arrived before the command was done, and what it had made has been removed. Once the process of a `run` or `exec` in the foreground has started, signals are passed on to it.',
      ],
      [
        `${runFailed}, ${commandNotExecutable}, ${commandNotFound}`,
        '`run`, `exec`, `attach`: Tallyman failed; the command could not be executed; the command was not found.',
      ],
    ],
  )
}

function renderTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.map(toCell).join(' | ')} |`).join('\n')
}

/** A bar ends the cell, also between backquotes. */
function toCell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function toSentence(text: string): string {
  if (text === '') return ''
  // A lower-case word gets a capital letter; a value such as max-size=SIZE is not changed.
  const begun = /^[a-z]+[ ,:;]/.test(text) ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}
