import {closeSync, openSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {createLogger, writeOut} from '../../../src/kernel/log.ts'
import {makeTempDir} from '../support/temp-dir.ts'

it('a full disk does not end the process that writes to a file on it', () => {
  const fd = openSync('/dev/full', 'w')
  expect(() => writeOut(fd, 'a line\n')).not.toThrow()
  expect(() => createLogger('test', {fd}).error('a line')).not.toThrow()
  closeSync(fd)
})

describe('a line of the log', () => {
  it('has each of its keys once', async () => {
    await using temp = makeTempDir()
    const path = join(temp.path, 'log')
    const fd = openSync(path, 'a')
    const logger = createLogger('test', {fd}).child({container: 'default/web'})
    logger.info({supervisorPid: 7, code: 1}, 'a supervisor ended')
    // @ts-expect-error every line has the pid of the writer
    logger.info({pid: 7}, 'an orphan was reaped')
    // @ts-expect-error and the container of its supervisor
    logger.info({container: 'default/web'}, 'is its own')
    closeSync(fd)
    const [line = ''] = readFileSync(path, 'utf8').split('\n')
    const keys = [...line.matchAll(/"(\w+)":/g)].map(([, key]) => key)
    expect(keys).toEqual([...new Set(keys)])
    expect(JSON.parse(line)).toMatchObject({pid: process.pid, supervisorPid: 7, container: 'default/web'})
  })
})
