import {readFileSync} from 'node:fs'
import {beforeAll, expect, it} from 'vitest'
import {useNode} from '../support/tally-node.ts'

const node = useNode()
beforeAll(async () => {
  expect(await node.tally('run', '-d', '--name', 'box', '--rootfs', node.rootfs, 'sleep', '1000')).toMatchObject({exitCode: 0})
})

const above = String(Number(readFileSync('/proc/sys/fs/nr_open', 'utf8')) + 1)

it.each([
  ['--memory', '1', 'memoryBytes: expected at least 6291456, got 1'],
  ['--cpus', '0.000001', 'cpus: expected 0.01 to 10000'],
  ['--cpus', '0.009', 'cpus: expected 0.01 to 10000'],
  ['--cpu-shares', '1', 'expected at least 2, got 1'],
  ['--pids-limit', '4194305', 'pidsLimit: expected 1 to 4194304'],
  ['--cpuset-cpus', '0-4096', 'expected CPUs of this host ('],
  ['--cpuset-cpus', '1-0', 'expected the first of a range not above its last'],
])('%s %s is refused with what can be had, at create and by an update', async (flag, value, message) => {
  for (const args of [
    ['run', '--rm', '--rootfs', node.rootfs, flag, value, 'true'],
    ['update', flag, value, 'box'],
  ])
    expect((await node.tally(...args)).stderr).toMatch(
      new RegExp(`${message.replace(/[()]/g, '\\$&')}.*\\[(INVALID_REQUEST|INVALID_ARGUMENT)\\]`),
    )
})

it('more descriptors than the kernel has for any process are refused with how many it has', async () => {
  expect((await node.tally('run', '--rm', '--rootfs', node.rootfs, '--ulimit', `nofile=${above}`, 'true')).stderr).toMatch(
    /expected a limit of nofile that this host may give, at most \d+, got \d+ \[INVALID_REQUEST\]/,
  )
})

it('the smallest that can be had is had', async () => {
  expect(
    await node.tally(...['run', '--rm', '--rootfs', node.rootfs, '--memory', '6m', '--cpu-shares', '2', '--cpuset-cpus', '0', 'true']),
  ).toMatchObject({exitCode: 0, stderr: ''})
  expect(await node.tally('update', '--cpus', '0.01', '--pids-limit', '1', 'box')).toMatchObject({exitCode: 0, stderr: ''})
})
