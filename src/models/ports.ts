// What models/ needs from outside. No I/O and no vendor's words in this file.

export interface UsageSample {
  cpuPercent: number;
  memoryTotalBytes: number;
  memoryUsedBytes: number;
  /** Of the file system that holds the models. */
  diskTotalBytes: number;
  diskUsedBytes: number;
  diskMount: string;
  modelsBytes: number;
  gpu: { percent: number; vramUsedBytes: number; vramTotalBytes: number } | null;
}

export interface UsageMeter {
  sample(): Promise<UsageSample>;
}
