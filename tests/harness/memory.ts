import { readFileSync, writeFileSync } from 'node:fs';

/** The most a process had in memory since `forgetPeak`, bytes (Linux: VmHWM). */
export function peakMemory(pid: number): number {
  return field(pid, 'VmHWM');
}

export function residentMemory(pid: number): number {
  return field(pid, 'VmRSS');
}

/** Measures the peak from now on. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function field(pid: number, name: string): number {
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no ${name}`);
  return Number(kilobytes) * 1024;
}
