import {chmodSync, mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {type Clock, createSystemClock} from '../../../src/kernel/clock.ts'
import {readProcessStat} from '../../../src/linux/process-table.ts'
import {startEmbeddedServer} from '../../../src/messaging/embedded-server.ts'
import {dir, options} from './embedded-server-fixture.ts'

test('a missing binary is NATS_NOT_FOUND, with what to install', async () => {
  const error = {code: 'NATS_NOT_FOUND', kind: 'unavailable', message: expect.stringContaining('apt-get install nats-server')}
  await expect(startEmbeddedServer({...options, binary: '/nonexistent/nats-server'})).rejects.toMatchObject(error)
  await expect(startEmbeddedServer({...options, binary: dir.path})).rejects.toMatchObject(error)
})

test('a server that cannot have its store is NATS_START_FAILED, with the end of its log', async () => {
  mkdirSync(options.dir, {recursive: true})
  writeFileSync(join(options.dir, 'store'), 'a file')
  await expect(startEmbeddedServer(options)).rejects.toMatchObject({
    code: 'NATS_START_FAILED',
    details: {log: expect.stringMatching(/store|not a directory/i)},
  })
})

test('a server that does not become ready is NATS_START_FAILED, and is not left running', async () => {
  const binary = join(dir.path, 'never-ready')
  writeFileSync(binary, '#!/bin/sh\nexec sleep 1000\n')
  chmodSync(binary, 0o755)
  const pids: number[] = []
  const attempt = startEmbeddedServer({...options, binary, clock: hastyClock(50), onSpawn: (pid) => pids.push(pid)})
  await expect(attempt).rejects.toMatchObject({code: 'NATS_START_FAILED'})
  const [pid = 0] = pids
  await expect.poll(() => readProcessStat(pid)?.state ?? 'Z', {interval: 10}).toBe('Z')
})

/** Time that flies, so that 10 s of patience are soon over. */
function hastyClock(factor: number): Clock {
  const system = createSystemClock()
  const began = system.now()
  return {...system, now: () => began + (system.now() - began) * factor}
}
