import {closeSync, openSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {createLogger, type Logger, writeOut} from '../../../src/kernel/log.ts'
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

describe('the log', () => {
  it('has what an error tells, with its causes, and never fails for a value', async () => {
    const cause = Object.assign(new Error('no such file'), {code: 'ENOENT'})
    const circle: Record<string, unknown> = {big: 1n, at: new Date(0), bytes: new Uint8Array(3), set: new Set(['a']), undefined: undefined}
    circle['self'] = circle
    const [line] = await readLines((logger) => logger.error({err: new TypeError('cannot read', {cause}), circle}, 'it failed'))
    expect(line).toMatchObject({
      level: 50,
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      name: 'test',
      msg: 'it failed',
      err: {
        type: 'TypeError',
        message: 'cannot read',
        stack: expect.stringContaining('log.test.ts'),
        cause: {message: 'no such file', code: 'ENOENT'},
      },
      circle: {big: '1', at: '1970-01-01T00:00:00.000Z', bytes: '[3 bytes]', set: ['a'], self: '[Circular]'},
    })
  })

  it.each([
    ['warn', ['warn', 'error']],
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['silent', []],
    ['loud', ['info', 'warn', 'error']],
  ])('has the lines from level %s on', async (level, expected) => {
    const lines = await readLines((logger) => logAll(logger), level)
    expect(lines.map(({msg}) => msg)).toEqual(expected)
  })
})

async function readLines(log: (logger: Logger) => void, level = 'info'): Promise<readonly Record<string, unknown>[]> {
  await using temp = makeTempDir()
  const path = join(temp.path, 'log')
  const fd = openSync(path, 'a')
  log(createLogger('test', {fd, level}))
  closeSync(fd)
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

function logAll(logger: Logger): void {
  for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level](level)
}
