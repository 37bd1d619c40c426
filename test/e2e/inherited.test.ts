import {execFileSync} from 'node:child_process'
import {mkdirSync, readFileSync, readlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {execa} from 'execa'
import {expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {listDescriptors} from '../../src/linux/descriptors.ts'
import {findReadySupervisor, findSupervisor} from '../support/find-supervisor.ts'
import {eventually, startNode, type TallyNode} from '../support/tally-node.ts'

const program = join(import.meta.dirname, '../../bin/tally')
const read = (pid: number, name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8')

/** `up` by a shell that has got into a state of its own before. */
function upFrom(node: TallyNode, shell: string, env: NodeJS.ProcessEnv = {}) {
  const script = `${shell} ${program} up -d`
  return execa('bash', ['-c', script], {env: {...node.env, ...env}, reject: false, cwd: node.dir, timeout: 120_000})
}

function describeProcess(pid: number) {
  const stat = read(pid, 'stat')
    .slice(read(pid, 'stat').lastIndexOf(')') + 2)
    .split(' ')
  const status = Object.fromEntries([...read(pid, 'status').matchAll(/^(\w+):\s+(.*)$/gm)].map(([, name, value]) => [name, value]))
  return {
    oomScore: Number(read(pid, 'oom_score_adj')),
    nice: Number(stat[16]),
    policy: Number(stat[38]),
    umask: status['Umask'],
    processors: status['Cpus_allowed_list'],
    blocked: Number(`0x${status['SigBlk']}`),
    personality: read(pid, 'personality').trim(),
  }
}

/** Where nothing of it has been changed. */
const own = describeProcess(process.pid)
const usual = {oomScore: 0, nice: 0, policy: 0, umask: '0022', processors: own.processors, blocked: 0, personality: '00000000'}

async function findAll(node: TallyNode): Promise<readonly number[]> {
  const {coordinatorPid, natsPid} = await node.info()
  await eventually('one is ready', () => findReadySupervisor(node) !== undefined)
  return [coordinatorPid, natsPid ?? 0, findSupervisor(node, 'a') ?? 0, findReadySupervisor(node) ?? 0]
}

it('a node is in a known state, whatever that of the shell was in which it was started', async () => {
  await using node = await startNode({up: false})
  const lock = join(node.dir, 'lock')
  const hasScheduling = `exec 33>${lock}; flock 33; renice -n 5 $$ >/dev/null; chrt -b -p 0 $$; ionice -c 3 -p $$; taskset -pc 0 $$ >/dev/null
umask 0077; ulimit -S -c 4096 -s 1024; trap '' HUP TERM USR1 USR2 PIPE CHLD
echo 500 >/proc/$$/oom_score_adj
exec`
  const secrets = {SOME_SECRET: 'hunter2', http_proxy: 'http://user:hunter2@proxy', NOTIFY_SOCKET: '/run/none', TALLY_PASSWORD: ''}
  expect(await upFrom(node, hasScheduling, secrets)).toMatchObject({exitCode: 0, stderr: ''})
  const script = "trap 'exit 3' TERM; while :; do sleep 0.1; done"
  const made = await node.tally('run', '-d', '--name', 'a', '--rootfs', node.rootfs, '--', 'sh', '-c', script)
  expect(made).toMatchObject({exitCode: 0, stderr: ''})

  const {pid = 0} = await node.json<ContainerView>('inspect', 'a')
  const [all, {natsPid}] = [await findAll(node), await node.info()]
  // Go blocks signals in threads that are not to have them.
  for (const one of [...all, pid]) expect(describeProcess(one)).toEqual({...usual, ...(one === natsPid && {blocked: expect.any(Number)})})
  for (const one of all) {
    expect(readlinkSync(`/proc/${one}/cwd`)).toBe('/')
    expect(listDescriptors(one).filter(({target}) => target === lock)).toEqual([])
    expect(read(one, 'environ')).not.toContain('hunter2')
  }
  // No other process has it any more.
  execFileSync('flock', ['--nonblock', lock, 'true'])

  const inside = (shell: string) => node.tally('exec', 'a', 'sh', '-c', shell)
  // With a runc that loses it the limit comes a moment late.
  const settled = 'for i in $(seq 100); do grep -q "files  *1024 " /proc/self/limits && break; sleep 0.1; done; cat /proc/self/limits'
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(read(pid, 'limits'))?.[1]
  for (const limits of [read(pid, 'limits'), (await inside(settled)).stdout]) {
    expect(limits).toMatch(new RegExp(`^Max open files\\s+1024\\s+${hard}`, 'm'))
    expect(limits).toMatch(new RegExp(toSoft(read(1, 'limits'), 'Max core file size'), 'm'))
    expect(limits).toMatch(new RegExp(toSoft(read(1, 'limits'), 'Max stack size'), 'm'))
  }
  expect((await inside('grep -E "^Sig(Ign|Blk)" /proc/self/status; umask; cat /proc/self/oom_score_adj; ls /proc/self/fd')).stdout).toBe(
    'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0022\n0\n0\n1\n2\n3\n',
  )
  expect(await node.tally('stop', 'a')).toMatchObject({exitCode: 0})
  expect((await node.tally('wait', 'a')).stdout).toBe('3\n')
})

it('hooks of a bundle see nothing of the environment in which the node was started', async () => {
  await using node = await startNode({up: false})
  expect(await upFrom(node, 'export SOME_SECRET=hunter2\nexec')).toMatchObject({exitCode: 0, stderr: ''})
  const bundle = join(node.dir, 'bundle')
  mkdirSync(bundle)
  execFileSync('runc', ['spec'], {cwd: bundle})
  const seen = join(node.dir, 'seen')
  const config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'))
  const hook = {path: '/bin/sh', args: ['sh', '-c', `tr '\\0' '\\n' </proc/$PPID/environ >${seen}`]}
  const changed = {
    ...config,
    root: {path: node.rootfs},
    hooks: {prestart: [hook]},
    process: {...config.process, terminal: false, args: ['true']},
  }
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(changed))
  expect(await node.tally('run', '--rm', '--bundle', bundle)).toMatchObject({exitCode: 0, stderr: ''})
  const lines = readFileSync(seen, 'utf8').trimEnd().split('\n')
  expect(lines.filter((line) => !/^(HOME|LANG|PATH|TZ)=/.test(line))).toEqual([])
})

it('what cannot be corrected is reported, and containers can be run nevertheless', async () => {
  await using node = await startNode({up: false})
  const up = await upFrom(node, 'renice -n 5 $$ >/dev/null; exec setpriv --bounding-set -sys_nice')
  expect(up).toMatchObject({exitCode: 0, stderr: expect.stringMatching(/nice value of 5.*CAP_SYS_NICE/)})
  const {stdout} = await node.tally('run', '--rm', '--rootfs', node.rootfs, '--', 'cat', '/proc/self/stat')
  expect(stdout.split(' ')[18]).toBe('5')
  expect((await node.info()).warnings).toHaveLength(1)
  expect((await node.tally('info')).stdout).toMatch(/^Warning .*nice value of 5/m)
})

/** As a pattern, with any hard limit. */
function toSoft(limits: string, name: string): string {
  return `^${name}\\s+${new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(limits)?.[1]}\\s`
}
