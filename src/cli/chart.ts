import {writeFile} from 'node:fs/promises'
import {type Command, InvalidArgumentError, Option} from 'commander'
import type {AnyStateMachine} from 'xstate'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {chartedMachines, isOfProcess, type MachineName, machineNames} from '../chart/machines.ts'
import {noMarks} from '../chart/marks.ts'
import {toChartModel} from '../chart/model.ts'
import {foldMachine, type Moment, toMarks} from '../chart/moment.ts'
import {TallyError} from '../kernel/errors.ts'
import {followChart} from './chart-follow.ts'
import {type ChartFormat, chartFormats, renderChart, toFormat} from './chart-formats.ts'
import {type At, readHistory} from './chart-history.ts'
import {type Charted, toCaption, toOwnEvents} from './chart-moment.ts'
import {resolveNodeOptions} from './node-options.ts'
import {parseTime} from './times.ts'
import {addVerb, connect} from './verb.ts'

interface ChartFlags {
  readonly exec?: string
  readonly machine?: MachineName
  readonly at?: At
  readonly follow?: boolean
  readonly format?: ChartFormat
  readonly output?: string
}

export function addChart(program: Command): void {
  addVerb(program, 'chart', 'draw the statechart of a container, now or at an earlier event; without a container, the chart alone')
    .argument('[id]', 'container; a deleted one as long as the stream has its events')
    .option('--exec <exec>', 'draw the chart of an exec process')
    .addOption(new Option('--machine <name>', 'chart to draw (default: container)').choices(machineNames))
    .option('--at <seq|time>', 'draw it as it was at this event of its ledger, at this time, or this long ago, such as 10m', parseAt)
    .option('-f, --follow', 'draw in the terminal, again after every event; q quits')
    .addOption(new Option('--format <format>', 'output format (default: by the name of the -o file, else text)').choices(chartFormats))
    .option('-o, --output <file>', 'write to this file')
    .action(async (id: string | undefined, flags: ChartFlags, command: Command) => {
      const options = resolveNodeOptions(command)
      const format = flags.format ?? (options.json ? 'json' : flags.output === undefined ? 'text' : (toFormat(flags.output) ?? 'text'))
      const charted = toCharted(id, flags)
      if (flags.follow) assertFollows(flags, format)
      if (format === 'png' && flags.output === undefined && process.stdout.isTTY) {
        throw new TallyError('INVALID_ARGUMENT', 'expected -o FILE or a pipe for a PNG, got a terminal')
      }
      if (id === undefined) return await write(charted.machine, undefined, undefined)
      await using client = await connect(options)
      const name = {namespace: options.namespace, id}
      const {events, next} = await readHistory(client, name, flags.at)
      if (charted.exec !== undefined) assertHasExec(events, charted.exec, id)
      if (flags.follow) return await followChart({client, name, charted, events, next})
      await write(charted.machine, foldMachine(charted.machine, toOwnEvents(events, charted)), toCaption(`${name.namespace}/${id}`, events))

      async function write(machine: AnyStateMachine, moment: Moment | undefined, caption: string | undefined): Promise<void> {
        const chart = await renderChart(toChartModel(machine), format, {
          marks: moment ? toMarks(machine, moment) : noMarks,
          caption,
          width: process.stdout.columns || defaultColumns,
          colour: flags.output === undefined && process.stdout.isTTY,
        })
        if (flags.output === undefined) process.stdout.write(chart)
        else await writeTo(flags.output, chart)
      }
    })
}

/** Where stdout is not a terminal, or one without a size. */
const defaultColumns = 100

/** Digits alone are the number of an event. */
export function parseAt(text: string): At {
  if (!/^\d+$/.test(text)) return {time: parseTime(text)}
  if (Number(text) === 0) throw new InvalidArgumentError('expected the number of an event, at least 1, got 0')
  return {sequence: Number(text)}
}

function toCharted(id: string | undefined, {exec, machine, at, follow}: ChartFlags): Charted {
  const wanted = machine ?? (exec === undefined ? 'container' : 'process')
  if (id === undefined && (exec !== undefined || at || follow))
    throw new TallyError('INVALID_ARGUMENT', 'expected a container for --exec, --at and --follow')
  if (exec !== undefined && wanted !== 'process') throw new TallyError('INVALID_ARGUMENT', `expected no --exec for --machine ${wanted}`)
  if (id !== undefined && wanted === 'process' && exec === undefined)
    throw new TallyError('INVALID_ARGUMENT', 'expected --exec EXEC with --machine process')
  if (id !== undefined && wanted === 'supervision')
    throw new TallyError('INVALID_ARGUMENT', 'expected no container with --machine supervision: its state is in no ledger')
  return {machine: chartedMachines[wanted], exec}
}

function assertFollows({at, output}: ChartFlags, format: ChartFormat): void {
  if (format !== 'text') throw new TallyError('INVALID_ARGUMENT', `expected --follow with --format text, got ${format}`)
  if (at || output !== undefined) throw new TallyError('INVALID_ARGUMENT', 'expected --follow without --at and --output')
}

function assertHasExec(events: readonly LedgerEvent[], exec: string, id: string): void {
  if (events.some((event) => isOfProcess(event, exec))) return
  throw new TallyError('EXEC_NOT_FOUND', `no process ${exec} was added to ${id} by then`, {details: {id, exec}})
}

async function writeTo(file: string, chart: string | Uint8Array): Promise<void> {
  try {
    await writeFile(file, chart)
  } catch (cause) {
    throw new TallyError('INVALID_ARGUMENT', `cannot write ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {cause})
  }
}
