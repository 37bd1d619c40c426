import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {killNode} from '../support/kill-node.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, useNode} from '../support/tally-node.ts'

// Supervisors of stopped containers are there to be counted; test/e2e/sleep-edges.test.ts has those that are not.
const args = ['--http', '127.0.0.1:0', '--sleep-after', 'never'] as const
const node = useNode({args})

const run = (name: string, ...args: readonly string[]) => node.tally('run', '-d', '--name', name, ...args)

async function scrape(): Promise<readonly string[]> {
  const {httpUrl} = await node.info()
  const token = readFileSync(join(node.stateDir, 'metrics-token'), 'utf8').trim()
  const response = await fetch(new URL('/metrics', httpUrl), {headers: {Authorization: `Bearer ${token}`}})
  expect(response.status).toBe(200)
  return (await response.text()).split('\n')
}

it('tells of states, exits, restarts, adoptions and how long commands took, also when the coordinator is another', async () => {
  await run('lives', '--rootfs', node.rootfs, 'sleep', '300')
  await run('fails', '--rootfs', node.rootfs, 'sh', '-c', 'exit 7')
  await run('again', '--restart', 'on-failure:1', '--rootfs', node.rootfs, 'sh', '-c', 'exit 1')
  await node.tally('wait', 'fails')
  const {supervisorPid} = await node.json<ContainerView>('inspect', 'lives')
  sendSignal(supervisorPid, 'SIGKILL')
  const wanted = [
    'tally_containers{state="running"} 1',
    'tally_containers{state="stopped"} 2',
    'tally_exits_total{process="init",kind="failure"} 3',
    'tally_restarts_total 1',
    'tally_adoptions_total 1',
    'tally_command_duration_seconds_count{command="start",outcome="done"} 4',
    'tally_supervisors 3',
    'tally_supervisors_missing 0',
    'tally_outbox_lag_events 0',
    'tally_nats_connected 1',
  ]
  const has = async (lines: readonly string[]) => {
    const all = await scrape()
    return lines.every((line) => all.includes(line))
  }
  await eventually('all of it told', () => has(wanted)).catch(async (cause: unknown) => {
    const all = await scrape()
    throw new Error(`missing ${wanted.filter((line) => !all.includes(line)).join(', ')} of\n${all.join('\n')}`, {cause})
  })

  // A create that is retried on a busy machine is another request.
  expect((await scrape()).join('\n')).toMatch(/^tally_request_duration_seconds_count\{verb="create",outcome="done"\} [3-9]$/m)

  killNode(await node.info())
  expect((await node.tally('up', '-d', ...args)).exitCode).toBe(0)
  // What comes from the stream goes on where it was; the coordinator's own counters begin at 0.
  await eventually('told by the next', () => has(wanted))
  await node.tally('rm', '-f', 'lives', 'fails', 'again')
  await eventually('nothing left', () => has(['tally_supervisors 0', 'tally_containers{state="running"} 0']))
})
