/** runc, a root file system and a subreaper that watches: what a supervisor has around its runtime, in this process. */
import {mkdirSync, openSync, closeSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {createChildReaper} from '../../src/linux/child-reaper.ts'
import {becomeChildSubreaper} from '../../src/linux/subreaper.ts'
import type {ChildExit} from '../../src/linux/wait.ts'
import {prepareBundle} from '../../src/runtime/bundle.ts'
import type {OciRuntime, RuntimeCreateOptions} from '../../src/runtime/oci-runtime.ts'
import {createRunc, type RuncOptions} from '../../src/runtime/runc/runc.ts'
import {readFeatures} from '../../src/runtime/runc/features.ts'
import {readHostFacts} from '../../src/runtime/spec/host-facts.ts'
import {makeBusyboxRootfs} from './busybox.ts'
import {expectNothingLeft} from './leaks.ts'
import {makeTempDir} from './temp-dir.ts'

export interface RuntimeHarness extends AsyncDisposable {
  readonly runtime: OciRuntime
  readonly dir: string
  readonly rootfs: string
  readonly logDir: string
  /** Writes a bundle that runs the command, under an id of its own. */
  prepare(args: readonly string[]): Promise<RuntimeCreateOptions>
  /** Creates and watches; init is reaped when it has ended. */
  create(options: RuntimeCreateOptions): Promise<{readonly pid: number; readonly exit: Promise<ChildExit>}>
  /** What all containers have written, stdout and stderr. */
  output(): string
  /** Fails unless every process, mount and cgroup of the containers is gone. */
  expectNothingLeft(): Promise<void>
}

let harnesses = 0

export async function openRuncHarness({onSpawn, onReaped, ...options}: Partial<RuncOptions> = {}): Promise<RuntimeHarness> {
  becomeChildSubreaper()
  harnesses += 1
  const reaper = createChildReaper()
  const temp = makeTempDir()
  const dir = temp.path
  const [root, logDir, outputFile] = [join(dir, 'runc'), join(dir, 'logs'), join(dir, 'output')]
  for (const directory of [root, logDir]) mkdirSync(directory)
  const rootfs = makeBusyboxRootfs(dir)
  const cgroupPrefix = `tally-it-${process.pid}-${harnesses}-`
  const runtime = createRunc({
    binary: 'runc',
    root,
    logDir,
    ...options,
    // The reaper must hear of each in any case: it would take runc for an orphan, and Node would wait for it for ever.
    onSpawn: (pid) => {
      reaper.spawned(pid)
      onSpawn?.(pid)
    },
    onReaped: (pid) => {
      reaper.forget(pid)
      onReaped?.(pid)
    },
  })
  const stdio = [openSync('/dev/null', 'r'), openSync(outputFile, 'a'), openSync(outputFile, 'a')] as const
  const host = readHostFacts()
  const ids: string[] = []
  const exits: Promise<ChildExit>[] = []
  const nothingLeft = () => expectNothingLeft({dir, cgroupPrefix})

  return {
    runtime,
    dir,
    rootfs,
    logDir,
    prepare: async (args) => {
      const id = `c${ids.length + 1}`
      ids.push(id)
      const bundleDir = join(dir, id)
      mkdirSync(bundleDir)
      const request = {
        id,
        namespace: 'default',
        autoRemove: false,
        rootfs,
        args: [...args],
        env: [],
        cwd: '/',
        user: '0',
        network: 'none',
      } as const
      const {bundle} = await prepareBundle(
        {...request, args: [...args], env: []},
        {
          dir: bundleDir,
          containerId: id,
          cgroupsPath: `/${cgroupPrefix}${id}`,
          host,
          findInit: () => 0,
          features: () => readFeatures('runc', {onSpawn: reaper.spawned, onReaped: reaper.forget}),
        },
      )
      return {id, bundle, pidFile: join(bundleDir, 'init.pid'), stdio: {type: 'pipes', fds: stdio}}
    },
    create: async (createOptions) => {
      using _hold = reaper.holdOrphans()
      const {pid} = await runtime.create(createOptions)
      const {promise: exit, resolve} = Promise.withResolvers<ChildExit>()
      reaper.watch(pid, (status) => {
        resolve(status)
        reaper.reap(pid)
      })
      exits.push(exit)
      return {pid, exit}
    },
    output: () => readFileSync(outputFile, 'utf8'),
    expectNothingLeft: nothingLeft,
    [Symbol.asyncDispose]: async () => {
      const everyId = new Set(ids)
      for (const id of everyId) await runtime.delete(id, {force: true}).catch(() => {})
      await Promise.all(exits)
      for (const fd of stdio) closeSync(fd)
      try {
        await nothingLeft()
      } finally {
        reaper[Symbol.dispose]()
        await temp[Symbol.asyncDispose]()
      }
    },
  }
}
