/** Directories for an embedded server, one of each for every test of a file; whatever runs in them ends with the test. */
import {join} from 'node:path'
import {afterEach, beforeEach, expect} from 'vitest'
import {createSystemClock} from '../../../src/kernel/clock.ts'
import {type EmbeddedServerOptions, stopEmbeddedServer} from '../../../src/messaging/embedded-server.ts'
import {listProcessesThatName} from '../../support/leaks.ts'
import {makeTempDir, type TempDir} from '../../support/temp-dir.ts'

export let dir: TempDir
export let options: EmbeddedServerOptions

beforeEach(() => {
  dir = makeTempDir()
  options = {binary: 'nats-server', dir: join(dir.path, 'nats'), runDir: join(dir.path, 'run'), clock: createSystemClock()}
})

afterEach(async () => {
  await stopEmbeddedServer(options)
  const left = listProcessesThatName(dir.path)
  for (const line of left) process.kill(Number.parseInt(line, 10), 'SIGKILL')
  await dir[Symbol.asyncDispose]()
  expect(left).toEqual([])
})
