// Part of the composition: asks, time and again, how model servers and services are.
import type { ServiceMonitor } from '../chat/services/service-monitor.js';
import type { Settings } from '../config/config.js';
import type { LlmServerController } from '../runtimes/llm-server-controller.js';

const EVERY_MS = 15_000;

export function healthChecks(settings: Settings, controller: LlmServerController, services: ServiceMonitor) {
  let timer: NodeJS.Timeout | undefined;
  return {
    start(): void {
      timer = setInterval(() => {
        if (!settings.ENABLE_HEALTH_CHECKS) return;
        void controller.checkAll(EVERY_MS);
        services.snapshot();
      }, EVERY_MS).unref();
      // Who asks for the state of the services waits for no check.
      services.snapshot();
    },
    close: () => clearInterval(timer),
  };
}
