#!/bin/sh
# Unpacks the Debian packages that a node needs into a directory. Nothing is installed, so no service starts and no file of the machine
# changes. It also unpacks libraries that the machine does not have.
set -eu
target=$(realpath -m "$1") # apt reads relative paths as paths in its own directories
wanted="containerd runc containernetworking-plugins iptables iproute2"

command -v apt-get >/dev/null || { echo "a node's containerd, runc, CNI plugins and iptables come from Debian packages, and there is no apt-get" >&2; exit 1; }
rm -rf "$target" "$target.new"
mkdir -p "$target.new/archives/partial" "$target.new/links"
trap 'rm -rf "$target.new"' EXIT

download() {
	apt-get -qq -o Dir::Cache::Archives="$target.new/archives" -o Debug::NoLocking=1 -o APT::Sandbox::User=root \
		install --yes --download-only --reinstall --no-install-recommends $wanted
}
# The package lists may be missing or too old.
download 2>/dev/null || { apt-get -qq update; download; }
for archive in "$target.new"/archives/*.deb; do
	dpkg-deb -x "$archive" "$target.new"
done
rm -rf "$target.new/archives" "$target.new/usr/share"

# link makes a command that finds its libraries at every path of the directory.
link() {
	cat >"$target.new/links/$1" <<LINK
#!/bin/sh
here=\$(dirname "\$(dirname "\$0")")
export LD_LIBRARY_PATH="\$(echo "\$here"/usr/lib/*-linux-gnu*):\$(echo "\$here"/lib/*-linux-gnu*)"
export XTABLES_LIBDIR="\$(echo "\$here"/usr/lib/*-linux-gnu*/xtables)"
exec "\$here/$2" $3 "\$@"
LINK
	chmod +x "$target.new/links/$1"
}
# Debian chooses between two kinds of iptables during the installation. Here it is the one that all current kernels support.
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
	link $name usr/sbin/xtables-nft-multi $name
done
link ip bin/ip ""
mv "$target.new" "$target"
trap - EXIT
