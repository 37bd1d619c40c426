import type {Command} from 'commander'
import type {ContainerProcess} from '../../machines/views/top.ts'
import {formatAge, formatCommand, formatTable} from './format.ts'
import {printJson} from './print.ts'
import {addVerb, withClient} from './verb.ts'

export function addTop(program: Command): void {
  addVerb(program, 'top', 'list the processes of a container, with their pids on the host')
    .argument('<id>')
    .action(async (id: string, _flags: unknown, command: Command) => {
      await withClient(command, async (client, {json, namespace}) => {
        const {processes} = await client.container(id, namespace).top()
        if (json) printJson(processes)
        else console.log(formatProcesses(processes, Date.now()))
      })
    })
}

const head = ['PID', 'PPID', 'USER', 'STATE', 'CPU TIME', 'STARTED', 'ROLE', 'COMMAND'] as const

export function formatProcesses(processes: readonly ContainerProcess[], now: number): string {
  return formatTable(
    head,
    processes.map(({pid, parentPid, user, state, cpuMs, startedAt, init, execId, args}) => [
      String(pid),
      String(parentPid),
      user,
      state,
      formatCpuTime(cpuMs),
      formatAge(startedAt, now),
      init ? 'init' : execId === undefined ? '' : `exec ${execId}`,
      formatCommand(args, 80),
    ]),
  )
}

/** `1:02:03.45`; hours only when there are any. */
function formatCpuTime(ms: number): string {
  const seconds = (ms / 1_000) % 60
  const minutes = Math.floor(ms / 60_000) % 60
  const hours = Math.floor(ms / 3_600_000)
  const two = (number: number) => String(number).padStart(2, '0')
  const tail = `${two(minutes)}:${seconds.toFixed(2).padStart(5, '0')}`
  return hours > 0 ? `${hours}:${tail}` : tail
}
