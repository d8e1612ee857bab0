// Part of the composition: the places where models are found and installed from, beside the engines' own libraries.
import { resolve } from 'node:path';
import { BandwidthLimit } from '../catalogs/download/bandwidth-limit.js';
import { fetchByEnvironment } from '../catalogs/download/ranged-download.js';
import { HuggingFaceClient } from '../catalogs/hugging-face/hugging-face-client.js';
import { HuggingFaceModels } from '../catalogs/hugging-face/hugging-face-models.js';
import { LocalModels } from '../catalogs/local-folders/local-models.js';
import { OllamaLibraryClient } from '../catalogs/ollama-library/ollama-library-client.js';
import { PythonIndexModels } from '../catalogs/python-index/python-index-models.js';
import type { Settings } from '../config/config.js';
import type { FileDigests, ModelCatalog, ModelSource } from '../models/ports.js';
import { readGguf } from '../runtimes/llama-cpp/gguf-check.js';

export interface ModelCatalogs {
  catalogs: ModelCatalog[];
  sources: ModelSource[];
}

export interface CatalogPlace {
  modelsDir: string;
  digests: FileDigests;
}

export function modelCatalogs(settings: Settings, { modelsDir, digests }: CatalogPlace): ModelCatalogs {
  const huggingFace = new HuggingFaceClient({
    baseUrl: settings.HF_ENDPOINT,
    token: settings.HF_TOKEN || undefined,
    summaryChars: settings.NEWS_SUMMARY_MAX_CHARS,
    fetch: fetchByEnvironment,
  });
  // Places that are a catalogue and a source in one.
  const files = [
    new PythonIndexModels({ modelsDir, checkFile: readGguf }),
    new LocalModels({
      modelsDir,
      folders: settings.MODELS_FOLDERS.map((folder) => resolve(folder)),
      checkFile: readGguf,
      digests,
    }),
  ];
  return {
    catalogs: [
      huggingFace,
      new OllamaLibraryClient({ baseUrl: settings.OLLAMA_LIBRARY_ENDPOINT, fetch: fetchByEnvironment }),
      ...files,
    ],
    sources: [
      new HuggingFaceModels({
        client: huggingFace,
        modelsDir,
        checkGguf: readGguf,
        fetch: fetchByEnvironment,
        limit: new BandwidthLimit(settings.DOWNLOAD_BYTES_PER_SECOND),
      }),
      ...files,
    ],
  };
}
