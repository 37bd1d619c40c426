import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import type {ErrorCode} from '../../../src/kernel/errors.ts'
import {TallyError} from '../../../src/kernel/errors.ts'
import {isUnknownContainer, toRuncError} from '../../../src/runtime/runc/errors.ts'
import type {RuncVerb} from '../../../src/runtime/runc/verbs.ts'
import {makeTempDir} from '../support/temp-dir.ts'

type Result = Parameters<typeof toRuncError>[0]['result']

const failed = (result: Partial<Result>, verb: RuncVerb = 'create', log?: string) =>
  toRuncError({verb, binary: 'runc', timeoutMs: 30_000, result: {timedOut: false, exitCode: 1, ...result}, log})

const logLine = (msg: string, level = 'error') => `${JSON.stringify({level, msg, time: '2026-01-02T03:04:05Z'})}\n`

/** Logged by runc 1.1.5. */
const begin = 'runc create failed: unable to start container process:'
const wordings: readonly (readonly [RuncVerb, string, ErrorCode])[] = [
  ['create', `${begin} exec: "nope": executable file not found in $PATH`, 'COMMAND_NOT_FOUND'],
  ['create', `${begin} exec: "/nope": stat /nope: no such file or directory`, 'COMMAND_NOT_FOUND'],
  ['create', `${begin} exec: "/etc/plain": permission denied`, 'COMMAND_NOT_EXECUTABLE'],
  ['create', 'runc create failed: container with given ID already exists', 'CONTAINER_EXISTS'],
  ['create', 'runc create failed: invalid rootfs: stat /no/such/dir: no such file or directory', 'ROOTFS_INVALID'],
  ['create', 'runc create failed: invalid rootfs: not an absolute path, or a symlink', 'ROOTFS_INVALID'],
  ['create', 'runc create failed: JSON specification file config.json not found', 'BUNDLE_INVALID'],
  ['create', 'runc create failed: json: cannot unmarshal number into Go struct field Spec.ociVersion of type string', 'BUNDLE_INVALID'],
  ['start', 'cannot start a container that has stopped', 'RUNC_START_FAILED'],
  ['start', 'cannot start an already running container', 'RUNC_START_FAILED'],
  ['kill', 'container not running', 'RUNC_KILL_FAILED'],
  ['delete', 'cannot delete container t that is not stopped: running', 'RUNC_DELETE_FAILED'],
  ['state', 'container does not exist', 'CONTAINER_NOT_FOUND'],
  ['kill', 'container does not exist', 'CONTAINER_NOT_FOUND'],
]

/** Of other releases and other machines. */
const furtherWordings: typeof wordings = [
  ['create', `${begin} exec: "/etc": is a directory`, 'COMMAND_NOT_EXECUTABLE'],
  ['create', 'exec /etc/badexec: exec format error', 'COMMAND_NOT_EXECUTABLE'],
  ['create', `${begin} error during container init: unable to find user bob: no matching entries in passwd file`, 'USER_NOT_FOUND'],
  ['create', 'container with id exists: web', 'CONTAINER_EXISTS'],
  ['create', `${begin} unable to apply cgroup configuration: mkdir /sys/fs/cgroup/x: permission denied`, 'RUNC_CREATE_FAILED'],
  ['state', 'container "web" does not exist', 'CONTAINER_NOT_FOUND'],
  ['create', 'runc create failed: unexpected EOF', 'BUNDLE_INVALID'],
  ['create', 'runc create failed: namespace {"time" ""} does not exist', 'UNSUPPORTED'],
  ['exec', 'exec failed: container does not exist', 'CONTAINER_NOT_FOUND'],
  ['exec', 'exec failed: cannot exec in a stopped container', 'RUNC_EXEC_FAILED'],
  ['create', `${begin} error during container init: exec: "/adir": is a directory`, 'COMMAND_NOT_EXECUTABLE'],
  ['create', 'executable file `nope` not found in $PATH: No such file or directory', 'COMMAND_NOT_FOUND'],
  ['state', 'open /run/runc/web/state.json: input/output error', 'RUNC_STATE_FAILED'],
]

/** Messages of runc that contain the word rootfs and are not about the root file system. */
const mounts = [
  `${begin} error during container init: error mounting "/nope" to rootfs at "/data": stat /nope: no such file or directory`,
  `${begin} error during container init: error mounting "/etc/passwd" to rootfs at "/etc": mount /etc/passwd:/etc (via /proc/self/fd/6), flags: 0x1000: not a directory`,
]

/** As logged by runc 1.1.5 and 1.5.3, with text of the user in them. */
const withUserText: readonly (readonly [RuncVerb, (text: string) => string, ErrorCode])[] = [
  [
    'create',
    (text) => `${begin} error during container init: error mounting "${text}" to rootfs at "/etc": stat ${text}: no such file or directory`,
    'RUNC_CREATE_FAILED',
  ],
  [
    'create',
    (text) => `${begin} error during container init: failed to fulfil mount request: open ${text}: no such file or directory`,
    'RUNC_CREATE_FAILED',
  ],
  ['create', (text) => `${begin} error during container init: mkdir ${text}: not a directory`, 'RUNC_CREATE_FAILED'],
  [
    'create',
    (text) => `${begin} error running hook #0: error running hook: exit status 1, stdout: ${text}, stderr: ${text}`,
    'RUNC_CREATE_FAILED',
  ],
  ['start', (text) => `error running hook #0: error running hook: exit status 1, stdout: , stderr: ${text}`, 'RUNC_START_FAILED'],
  [
    'exec',
    (text) =>
      `exec failed: unable to start container process: chdir to cwd ("${text}") set in config.json failed: no such file or directory`,
    'RUNC_EXEC_FAILED',
  ],
  ['exec', (text) => `exec failed: unable to start container process: exec: "${text}": permission denied`, 'COMMAND_NOT_EXECUTABLE'],
  [
    'exec',
    (text) => `exec failed: unable to start container process: exec: "${text}": stat ${text}: no such file or directory`,
    'COMMAND_NOT_FOUND',
  ],
]
const userTexts = [
  'config.json',
  'no matching entries in passwd file',
  'unable to find user x',
  'container does not exist',
  'container with id exists',
  'invalid rootfs',
  'executable file not found in $PATH',
  'exec: "x": no such file or directory',
  'exec format error',
  'a: permission denied\nrunc create failed: container does not exist',
  'container not running',
]

describe('what runc logs', () => {
  it.each(withUserText.flatMap(([verb, say, code]) => userTexts.map((text) => [code, verb, say(text)] as const)))(
    'is %s, whatever is called what: %s, %s',
    async (code, verb, stderr) => {
      const error = await failed({stderr}, verb)
      expect([error.code, error.details]).toEqual([code, {runtime: 'runc', verb}])
    },
  )

  it('does not name config.json, which the user has not written', async () => {
    const stderr =
      'exec failed: unable to start container process: chdir to cwd ("/none") set in config.json failed: no such file or directory'
    expect((await failed({stderr}, 'exec')).message).toBe(
      'runc exec: exec failed: unable to start container process: chdir to cwd ("/none") failed: no such file or directory',
    )
  })

  it.each([...wordings, ...furtherWordings])('on %s: %s', async (verb, message, code) => {
    using dir = makeTempDir()
    const log = join(dir.path, 'log.json')
    writeFileSync(log, logLine(message))
    expect(await failed({}, verb, log)).toMatchObject({code, message: `runc ${verb}: ${message}`, details: {runtime: 'runc', verb}})
  })

  it.each(mounts)('of a failed mount is not reported as a missing root file system: %s', async (message) => {
    expect(await failed({stderr: message})).toMatchObject({code: 'RUNC_CREATE_FAILED'})
  })

  it('is taken from the last line of level error or worse', async () => {
    using dir = makeTempDir()
    const log = join(dir.path, 'log.json')
    const lines = [
      logLine('first'),
      logLine('container does not exist', 'fatal'),
      logLine('careful', 'warning'),
      'not JSON\n',
      '{"level":"error"}\n',
    ]
    writeFileSync(log, lines.join(''))
    expect(await failed({stderr: 'noise'}, 'state', log)).toMatchObject({
      code: 'CONTAINER_NOT_FOUND',
      message: 'runc state: container does not exist',
    })
  })

  it.each([
    `${begin} error closing exec fds: open /proc/self/fd: too many open files`,
    `${begin} unable to init seccomp: error creating scratch pipe: pipe2: too many open files`,
  ])('of a limit of open files that is too low is replaced by a sentence: %s', async (stderr) => {
    const result = {timedOut: false, exitCode: 1, stderr}
    const call = {verb: 'create', binary: 'runc', timeoutMs: 30_000, result, log: undefined} as const
    expect(await toRuncError({...call, openFiles: 4})).toMatchObject({
      code: 'RUNC_CREATE_FAILED',
      message: 'runc create: expected a limit of open files (nofile) that lets the runtime start a program, got 4',
      details: {runtime: 'runc', verb: 'create', reason: stderr},
    })
    expect((await toRuncError(call)).message).toBe(`runc create: ${stderr}`)
  })

  it.each<[string, Partial<Result>, string]>([
    ['stderr', {stderr: '  boom\n'}, 'runc create: boom'],
    ['the exit status', {exitCode: 3, stderr: ''}, 'runc create: exit status 3'],
    ['the signal', {exitCode: undefined, signal: 'SIGSEGV'}, 'runc create: ended by SIGSEGV'],
  ])('may be nothing: then %s is reported', async (_, result, message) => {
    expect(await failed(result, 'create', '/nowhere/log.json')).toMatchObject({code: 'RUNC_CREATE_FAILED', message})
  })
})

describe('a call of runc', () => {
  it.each([
    'container not running',
    'os: process already finished',
    'process not running',
    'container web is not running',
    'cannot start a container that has stopped',
  ])('that came too late says so in its details: %s', async (stderr) => {
    expect((await failed({stderr}, 'kill')).details).toEqual({runtime: 'runc', verb: 'kill', finished: true})
  })

  it('that fails otherwise has no such detail', async () => {
    expect((await failed({stderr: 'boom'}, 'kill')).details).toStrictEqual({runtime: 'runc', verb: 'kill'})
  })

  it('that takes too long is a timeout, whatever it said', async () => {
    expect(await failed({timedOut: true, stderr: 'container does not exist'}, 'start')).toMatchObject({
      code: 'RUNTIME_TIMEOUT',
      kind: 'timeout',
      message: 'runc start did not end within 30000 ms and was killed',
    })
  })

  it.each(['ENOENT', 'EACCES', 'ENOEXEC'])('that cannot be executed (%s) says how to install it', async (code) => {
    const error = await failed({code, exitCode: undefined})
    expect(error).toMatchObject({code: 'RUNTIME_NOT_FOUND', kind: 'unavailable'})
    expect(error.message).toContain(`cannot execute the OCI runtime runc (${code})`)
    expect(error.message).toContain('apt-get install runc')
  })
})

describe('isUnknownContainer', () => {
  it('tells a missing container from every other failure', () => {
    expect(isUnknownContainer(new TallyError('CONTAINER_NOT_FOUND', 'x'))).toBe(true)
    expect(isUnknownContainer(new TallyError('RUNC_STATE_FAILED', 'x'))).toBe(false)
    expect(isUnknownContainer(new Error('container does not exist'))).toBe(false)
  })
})
