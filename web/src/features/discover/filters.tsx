// What Discover leaves out and in which order it shows the rest. All of it stands in the address.
import { Button, Chip, Group, NativeSelect, SegmentedControl, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { LICENCE_CLASSES, OFFERED_ABILITIES, SORTS } from '../../../../src/models/discovery-terms';
import { bytes } from '../../lib/format';
import { type DiscoverSearch, isFiltered, SIZES, SOURCES, toDiscoverSearch } from './discover-search';

const TYPED_MS = 350;

export function Filters({
  search,
  onChange,
}: {
  search: DiscoverSearch;
  /** @param replace  whether it takes the place of the former address in the browser's history */
  onChange: (search: DiscoverSearch, replace: boolean) => void;
}) {
  const { t, i18n } = useTranslation();
  const [typed, setTyped] = useState(search.q ?? '');
  const change = (part: Record<string, unknown>, replace = false) =>
    onChange(toDiscoverSearch({ ...search, ...part }), replace);
  const sent = useRef(search.q ?? '');
  const send = useDebouncedCallback((text: string) => {
    sent.current = text.trim();
    change({ q: sent.current }, true);
  }, TYPED_MS);
  // The way back of the browser changes the words as well; what was sent from here may be typed on by now.
  useEffect(() => {
    if ((search.q ?? '') === sent.current) return;
    sent.current = search.q ?? '';
    setTyped(sent.current);
  }, [search.q]);
  const sources = [
    { value: '', label: t('discover.source.all') },
    ...SOURCES.map((value) => ({ value, label: t(`discover.source.${value}`) })),
  ];
  const select = (
    label: string,
    value: string | number | undefined,
    name: 'licence' | 'ability' | 'max' | 'sort',
    data: { value: string; label: string }[],
  ) => (
    <NativeSelect
      size="xs"
      aria-label={label}
      value={String(value ?? '')}
      data={data}
      onChange={(event) => change({ [name]: event.currentTarget.value })}
    />
  );
  return (
    <>
      <Group mb="sm" wrap="wrap">
        <TextInput
          flex={1}
          miw={220}
          aria-label={t('discover.search')}
          placeholder={t('discover.search')}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={typed}
          maxLength={200}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            send(event.currentTarget.value);
          }}
        />
        <SegmentedControl
          aria-label={t('discover.source')}
          visibleFrom="md"
          value={search.source ?? ''}
          onChange={(source) => change({ source })}
          data={sources}
        />
        {/* All of them in sight where there is no room for a row. */}
        <NativeSelect
          aria-label={t('discover.source')}
          hiddenFrom="md"
          w="100%"
          value={search.source ?? ''}
          onChange={(event) => change({ source: event.currentTarget.value })}
          data={sources}
        />
      </Group>
      <Group mb="md" gap="xs" role="group" aria-label={t('discover.filters')}>
        <Chip size="xs" checked={search.fits ?? false} onChange={(fits) => change({ fits })}>
          {t('discover.filter.fits')}
        </Chip>
        {select(t('discover.filter.licence'), search.licence, 'licence', [
          { value: '', label: t('discover.filter.licence.any') },
          ...LICENCE_CLASSES.map((value) => ({ value, label: t(`discover.filter.licence.${value}`) })),
        ])}
        {select(t('discover.filter.ability'), search.ability, 'ability', [
          { value: '', label: t('discover.filter.ability.any') },
          ...OFFERED_ABILITIES.map((value) => ({ value, label: t(`discover.ability.${value}`) })),
        ])}
        {select(t('discover.filter.size'), search.max, 'max', [
          { value: '', label: t('discover.filter.size.any') },
          ...[...new Set([...SIZES, ...(search.max ? [search.max] : [])])]
            .toSorted((one, other) => one - other)
            .map((value) => ({
              value: String(value),
              label: t('discover.filter.size.most', { size: bytes(value * 1e9, i18n.language) }),
            })),
        ])}
        {select(
          t('discover.sort'),
          search.sort ?? 'trending',
          'sort',
          SORTS.map((value) => ({ value, label: t(`discover.sort.${value}`) })),
        )}
        {isFiltered(search) && (
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={() => change({ fits: false, licence: '', ability: '', max: '' })}
          >
            {t('discover.filter.clear')}
          </Button>
        )}
      </Group>
    </>
  );
}
