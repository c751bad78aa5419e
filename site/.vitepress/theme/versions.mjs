import { useData } from "vitepress";
import { defineComponent, h, onMounted, ref } from "vue";

/** Chooses another version of the guides; nothing where there is only one. */
export const Versions = defineComponent(() => {
  const { site, theme } = useData();
  const versions = ref([]);
  onMounted(async () => {
    const response = await fetch(`${theme.value.siteRoot}versions.json`).catch(() => undefined);
    // Opened from a folder, or served without the file, the site has one version.
    if (response?.ok) versions.value = await response.json();
  });

  const addressOf = ({ path }) => theme.value.siteRoot + path;
  const open = async (version) => {
    const page = location.pathname.slice(site.value.base.length);
    const same = await fetch(addressOf(version) + page, { method: "HEAD" }).catch(() => undefined);
    location.assign(addressOf(version) + (same?.ok ? page : ""));
  };
  return () => {
    if (versions.value.length < 2) return undefined;
    const shown = versions.value.findIndex((version) => addressOf(version) === site.value.base);
    const options = versions.value.map(({ name }, index) =>
      h("option", { value: index, selected: index === shown }, `v${name}`),
    );
    const onChange = ({ target }) => open(versions.value[target.value]);
    return h("select", { class: "versions", "aria-label": "Version", onChange }, options);
  };
});
