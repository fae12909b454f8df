//! A world's countries are what its table of places says.

use super::World;
use crate::root;
use anyhow::{Context, Result, anyhow, ensure};
use overheard_dissect::place::Atlas;
use std::net::IpAddr;

pub(super) fn agree(_: &World) -> Result<()> {
    let mut checked = 0;
    for entry in std::fs::read_dir(root().join("worlds"))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let file: toml::Table = std::fs::read_to_string(&path)?.parse()?;
        let world = file.get("world").with_context(|| format!("{}: no [world]", path.display()))?;
        let places = world.get("places").and_then(|places| places.as_str());
        let table = path.with_file_name(places.with_context(|| format!("{}: no places", path.display()))?);
        let mut atlas = Atlas::embedded();
        let bytes = std::fs::read(&table).with_context(|| table.display().to_string())?;
        atlas.add_mmdb("world", bytes).map_err(|what| anyhow!("{}: {what}", table.display()))?;
        for kind in ["host", "vantage"] {
            for (name, at) in world.get(kind).and_then(|hosts| hosts.as_table()).into_iter().flatten() {
                let Some(country) = at.get("country").and_then(|country| country.as_str()) else { continue };
                for address in
                    at["addresses"].as_array().into_iter().flatten().filter_map(|address| address.as_str())
                {
                    let said = country_of(&atlas, address.parse()?);
                    ensure!(
                        said == country,
                        "{}: {name}, {address}: {country}, the table says {said}",
                        path.display()
                    );
                    checked += 1;
                }
            }
        }
    }
    ensure!(checked > 0, "no address was checked");
    Ok(())
}

/// What the world's own table says, beside the tables that come with the program.
fn country_of(atlas: &Atlas, address: IpAddr) -> String {
    let place = atlas.locate(address);
    let country = place.claims.iter().find_map(|claim| claim.country);
    country.map_or("nothing".to_owned(), |country| country.to_string())
}
