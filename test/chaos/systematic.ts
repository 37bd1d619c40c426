/**
 * Systematic chaos, one container for each case: a supervisor is killed at every failpoint that it passes, runc during each of its calls,
 * and the command line while it creates a container. The coordinator always runs, so no exit and no output may be lost.
 */
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {execa} from 'execa'
import {createConcurrencyLimit} from '../../src/kernel/concurrency-limit.ts'
import type {ChaosNode} from './chaos-node.ts'
import {type Pace, type Scenario, scenarios} from './scenarios.ts'
import {type Run, runContainer} from './run-container.ts'

export interface Case {
  readonly what: string
  readonly kind: 'supervisor' | 'runtime' | 'client'
  readonly scenario: Scenario
  /** Called before the container is created. */
  readonly prepare: (node: ChaosNode, id: string) => Promise<{readonly runtime?: string}>
  /** Whether the process was really killed. */
  readonly isInjected: (node: ChaosNode, id: string) => boolean
}

export const systematicPace: Pace = {lines: 40, restSeconds: 0.02}

/** Runs one container of each scenario without faults, to record the failpoints that its supervisor passes. */
export async function listCases(node: ChaosNode): Promise<readonly Case[]> {
  const undisturbed = await Promise.all(
    scenarios.map(async (scenario, index) => {
      const id = `u${index}`
      const run = await runContainer({node, id, what: 'undisturbed', scenario, pace: systematicPace})
      if (run.stuck !== undefined) throw new Error(`${scenario.name}, undisturbed: ${run.stuck}`)
      return readPassed(node, id).map((position) => toSupervisorCase(scenario, [position]))
    }),
  )
  return [...undisturbed.flat(), ...listTwice(), ...listRuntimeCases(), ...listClientCases()]
}

/** Two kills: the second supervisor is killed during its first steps as well. */
function listTwice(): readonly Case[] {
  return scenarios
    .filter(({name}) => name === 'exit' || name === 'exec' || name === 'stop')
    .flatMap((scenario) =>
      ['append#4:before', 'append#4:after', 'append#5:after'].flatMap((first) =>
        [
          'append#5:before',
          'append#5:after',
          'append#6:before',
          'append#6:after',
          'publish#4:after',
          'publish#5:after',
          'reap#1:before',
        ].map((second) => toSupervisorCase(scenario, [first, second])),
      ),
    )
}

function toSupervisorCase(scenario: Scenario, positions: readonly string[]): Case {
  return {
    what: `killed at ${positions.join(' and ')}`,
    kind: 'supervisor',
    scenario,
    prepare: async (node, id) => {
      writeFileSync(toFailpointFile(node, id), positions.map((position) => `${position}\n`).join(''))
      return {}
    },
    isInjected: (node, id) => readFileSync(toFailpointFile(node, id), 'utf8').split('\n').filter(Boolean).length < positions.length,
  }
}

function listRuntimeCases(): readonly Case[] {
  const verbs: Readonly<Record<string, readonly string[]>> = {
    exit: ['create', 'start', 'delete'],
    exec: ['exec'],
    pause: ['pause', 'resume'],
    'forced delete': ['start', 'delete'],
    'failing create': ['create', 'delete'],
    'auto-remove': ['delete'],
  }
  return scenarios.flatMap((scenario) =>
    (verbs[scenario.name] ?? []).flatMap((verb) =>
      [0, 5, 10, 15, 20, 30, 40, 60].map((delayMs) => ({
        what: `runc ${verb} killed after ${delayMs} ms`,
        kind: 'runtime' as const,
        scenario,
        prepare: async (node: ChaosNode) => ({runtime: writeKilledRuntime(node, verb, delayMs)}),
        isInjected: (node: ChaosNode, id: string) => existsSync(join(node.dir, `${id}.${verb}.killed`)),
      })),
    ),
  )
}

function listClientCases(): readonly Case[] {
  return scenarios
    .filter(({name}) => name === 'exit')
    .flatMap((scenario) =>
      [150, 200, 250, 300, 350, 400].map((delayMs) => ({
        what: `tally run killed after ${delayMs} ms`,
        kind: 'client' as const,
        scenario,
        prepare: async (node: ChaosNode, id: string) => {
          await killClient(node, ['run', '--name', id, '--rootfs', node.rootfs, '--', ...scenario.request(systematicPace).args], delayMs)
          return {}
        },
        isInjected: () => true,
      })),
    )
}

/** Starts the command line and kills it after a delay. */
export async function killClient({env}: ChaosNode, args: readonly string[], afterMs: number): Promise<void> {
  const client = execa(join(import.meta.dirname, '../../bin/tally'), args, {env, reject: false})
  await sleep(afterMs)
  client.kill('SIGKILL')
  await client
}

export interface SystematicOptions {
  readonly node: ChaosNode
  readonly cases: readonly Case[]
  readonly atOnce: number
  readonly onRun: (one: Case, run: Run, isInjected: boolean) => void
}

export async function runCases({node, cases, atOnce, onRun}: SystematicOptions): Promise<void> {
  const limited = createConcurrencyLimit(atOnce)
  await Promise.all(
    cases.map((one, index) =>
      limited(async () => {
        const id = `s${index}`
        const {runtime} = await one.prepare(node, id)
        const {scenario, what} = one
        const run = await runContainer({node, id, what, scenario, pace: systematicPace, runtime})
        onRun(one, run, one.isInjected(node, id))
      }),
    ),
  )
}

function toFailpointFile({failpointsDir, namespace}: ChaosNode, id: string): string {
  return join(failpointsDir, `${namespace}.${id}`)
}

function readPassed(node: ChaosNode, id: string): readonly string[] {
  const passed = readFileSync(`${toFailpointFile(node, id)}.passed`, 'utf8')
    .split('\n')
    .filter(Boolean)
  return [...new Set(passed)]
}

/** A script that runs runc and kills it during one call: once for each container, whose id is the last argument. */
function writeKilledRuntime({dir}: ChaosNode, verb: string, delayMs: number): string {
  const path = join(dir, `runc-${verb}-${delayMs}`)
  if (existsSync(path)) return path
  const script = `#!/bin/sh
for id; do :; done
for verb; do case $verb in create|start|exec|pause|resume|delete|state|update) break;; esac; done
[ $verb = ${verb} ] && mkdir "${dir}/$id.$verb.killed" 2>/dev/null || exec runc "$@"
exec 9<&0
runc "$@" <&9 9<&- &
sleep ${delayMs / 1000}
kill -9 $!
exit 137
`
  writeFileSync(path, script, {mode: 0o755})
  return path
}

/** Files of deleted containers: a node without containers should have none. */
export function listRemains({stateDir, runDir, namespace}: ChaosNode): readonly string[] {
  const places = [join(stateDir, 'containers', namespace), join(runDir, 'containers', namespace), join(runDir, 'runc', namespace)]
  return places.flatMap((place) => (existsSync(place) ? readdirSync(place).map((name) => join(place, name)) : []))
}
