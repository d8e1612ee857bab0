// Everything under /models, composed of one file per subject.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { OnnxBuildRequest } from '../../contract/models.js';
import type { RemoteCatalogs } from '../../models/ports.js';
import type { StarterInstaller } from '../../models/starter.js';
import { AppError } from '../../shared/errors.js';
import { type ModelsConfigOptions, modelsConfigRoutes } from './models-config.js';
import { type ModelsDiscoverOptions, modelsDiscoverRoutes } from './models-discover.js';
import { type ModelsInstallOptions, modelsInstallRoutes } from './models-install.js';
import { type ModelsRegistryOptions, modelsRegistryRoutes } from './models-registry.js';
import { type ModelsRegistryOpsOptions, modelsRegistryOpsRoutes } from './models-registry-ops.js';
import { modelsRemoteRoutes } from './models-remote.js';
import { modelsStarterRoutes } from './models-starter.js';
import { type ModelsTranslationOptions, modelsTranslationRoutes } from './models-translation.js';
import { type ModelsUsageOptions, modelsUsageRoutes } from './models-usage.js';

export type ModelRoutesOptions = ModelsInstallOptions &
  ModelsUsageOptions &
  ModelsRegistryOpsOptions &
  ModelsRegistryOptions &
  ModelsDiscoverOptions &
  ModelsTranslationOptions &
  ModelsConfigOptions & { starter: StarterInstaller; remote: RemoteCatalogs };

export const modelRoutes: FastifyPluginAsyncZod<ModelRoutesOptions> = async (app, options) => {
  await app.register(modelsInstallRoutes, options);
  await app.register(modelsUsageRoutes, options);
  await app.register(modelsRegistryRoutes, options);
  await app.register(modelsDiscoverRoutes, options);
  await app.register(modelsRegistryOpsRoutes, options);
  await app.register(modelsRemoteRoutes, options);
  await app.register(modelsTranslationRoutes, options);
  await app.register(modelsStarterRoutes, options);
  await app.register(modelsConfigRoutes, options);

  // It ran a program the client named. Clients of the original get a plain refusal in its place.
  app.post('/models/onnx/build', { schema: { body: OnnxBuildRequest, tags: ['models'] } }, async () => {
    throw new AppError('unsupported', 'ONNX models are not built here.');
  });
};
