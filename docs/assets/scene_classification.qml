<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="Symbology">
  <pipe>
    <rasterrenderer type="paletted" band="1" opacity="1" alphaBand="-1" nodataColor="">
      <rasterTransparency/>
      <colorPalette>
        <paletteEntry value="0" color="#000000" label="no data" alpha="0"/>
        <paletteEntry value="1" color="#ff0000" label="saturated or defective" alpha="255"/>
        <paletteEntry value="2" color="#404040" label="dark features" alpha="255"/>
        <paletteEntry value="3" color="#833c0c" label="cloud shadow" alpha="255"/>
        <paletteEntry value="4" color="#00a000" label="vegetation" alpha="255"/>
        <paletteEntry value="5" color="#ffe65a" label="not vegetated" alpha="255"/>
        <paletteEntry value="6" color="#0000ff" label="water" alpha="255"/>
        <paletteEntry value="7" color="#808080" label="unclassified" alpha="255"/>
        <paletteEntry value="8" color="#c0c0c0" label="cloud, medium probability" alpha="255"/>
        <paletteEntry value="9" color="#ffffff" label="cloud, high probability" alpha="255"/>
        <paletteEntry value="10" color="#64c8ff" label="thin cirrus" alpha="255"/>
        <paletteEntry value="11" color="#ff96ff" label="snow or ice" alpha="255"/>
      </colorPalette>
    </rasterrenderer>
    <rasterresampler maxOversampling="2"/>
  </pipe>
  <blendMode>0</blendMode>
</qgis>
