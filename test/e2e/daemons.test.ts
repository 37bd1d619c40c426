import {mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import {listProcesses} from '../../src/linux/process-table.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode()

describe('a program that leaves a daemon behind', () => {
  it('leaves nothing, whether or not it has a pid namespace of its own', async () => {
    const marker = '98765.4321'
    // Forked twice and in a session of its own: its parent has ended.
    const script = `(setsid sh -c 'sleep ${marker} & sleep ${marker}' &) ; sleep 0.2; exit 3`
    expect(await node.tally('run', '--rm', '--rootfs', node.rootfs, '--', 'sh', '-c', script)).toMatchObject({exitCode: 3})
    await eventually('the daemon is gone', () => !isRunning(marker))

    const bundle = `${node.dir}/shared-pids`
    mkdirSync(bundle)
    const spec = {
      ociVersion: '1.0.2',
      process: {user: {uid: 0, gid: 0}, args: ['sh', '-c', script], env: ['PATH=/bin'], cwd: '/'},
      root: {path: node.rootfs},
      mounts: [{destination: '/proc', type: 'proc', source: 'proc'}],
      linux: {namespaces: [{type: 'mount'}], cgroupsPath: '/tally-test-shared-pids'},
    }
    writeFileSync(`${bundle}/config.json`, JSON.stringify(spec))
    expect(await node.tally('run', '--rm', '--bundle', bundle)).toMatchObject({exitCode: 3})
    await eventually('the daemon is gone', () => !isRunning(marker))
  })
})

function isRunning(argument: string): boolean {
  return listProcesses().some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(argument)
    } catch {
      return false
    }
  })
}
